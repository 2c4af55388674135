import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNews } from '@mcp-session/test-processes'
import { beyond, spread } from './figures.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { type KillCourse, killCourse } from './kill-course.ts'
import { killedNode } from './killed-node.ts'
import { startStore } from './running-store.ts'

const pairs = ['v1-v1', 'v1-v2', 'v2-v1', 'v2-v2']

/** `retryMs`: how long the servers tell clients to wait before they come back for a stream. */
export function kills(retryMs: number): Harness {
  return {
    name: 'kills',
    about: [
      'SIGKILLs at random moments under a stock client (its major and the server’s). Nothing acknowledged is missing, doubled or out of order at the',
      'client, every call ends, the session goes on. Each kill waits for the GET stream to be back; -any: it does not.',
    ].join('\n  '),
    backends: ['sqlite', 'redis', 'postgres'],
    variants: [...pairs, ...pairs.map((pair) => `${pair}-any`)],
    tries: 200,
    run: (trial) => run(trial, retryMs),
  }
}

async function run(trial: Trial, retryMs: number): Promise<Outcome> {
  const [client, server, spacing] = trial.variant.split('-')
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-kills-'))
  const news = createNews()
  try {
    await using store = await startStore(trial.backend)
    await using node = await killedNode({ sdk: server === 'v1' ? 1 : 2, store: store.place, folder, retryMs, news })
    const course = killCourse({ trial, node, clientMajor: client === 'v1' ? 1 : 2, isAnySpacing: spacing === 'any', retryMs, news })
    await course.run()
    return { tried: course.kills, measured: { ...measured(course, retryMs), complaints: node.complaints } }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function measured(course: KillCourse, retryMs: number): Record<string, number> {
  const { messages, calls, firstPosts, returns, restarts } = course
  return {
    sessions: course.sessions,
    messages,
    calls: calls.calls,
    callsHit: calls.hit,
    callsHitWithResult: calls.hitResults,
    ...spread('callEndsMs', calls.hitTimes),
    callsEndedLate: beyond(calls.hitTimes, 5_000 + retryMs),
    ...spread('firstPostMs', firstPosts),
    firstPostsLate: beyond(firstPosts, 300),
    ...spread('getBackMs', returns),
    getsBackLate: beyond(returns, retryMs + 500),
    ...spread('restartMs', restarts),
    restartsTooSlow: course.restartsTooSlow,
    streamsGivenUp: course.streamsGivenUp,
    streamsWithoutPlace: course.streamsWithoutPlace,
    callsGivenUp: calls.givenUp,
    callsWithoutPlace: calls.placeless,
  }
}
