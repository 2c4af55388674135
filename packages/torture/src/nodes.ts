import { type RunningNode, startNode } from '@mcp-session/test-processes'
import { elicitAll } from './elicitations.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { type Carried, startMessageRouter } from './message-router.ts'
import { connectToNodes } from './nodes-client.ts'
import { seededRandom } from './random.ts'
import { countAndNotify } from './rounds.ts'
import { startStore } from './running-store.ts'

const routings = ['round-robin', 'requests-to-a', 'requests-to-b', 'random']

/** Two processes, of both majors of the SDK, that serve the same sessions. */
export const nodes: Harness = {
  name: 'nodes',
  about: [
    'Two servers, one of each SDK major, on one store, behind a proxy that knows no sessions. round-robin: per try 20 parallel counts',
    'and 10 messages, counted exactly, each message delivered once. Others: per try one elicitation whose answer may come to the other node, 50 at a',
    'time (random: ten times as many); every call gets its own answer. -deaf: every signal between the nodes is dropped.',
  ].join('\n  '),
  backends: ['sqlite', 'redis', 'postgres'],
  variants: [...routings, ...routings.map((routing) => `${routing}-deaf`)],
  tries: 50,
  run,
}

async function run(trial: Trial): Promise<Outcome> {
  const isDeaf = trial.variant.endsWith('-deaf')
  const routing = isDeaf ? trial.variant.slice(0, -'-deaf'.length) : trial.variant
  await using store = await startStore(trial.backend)
  await using a = await startServer(1, store.place, isDeaf)
  await using b = await startServer(2, store.place, isDeaf)
  await using router = await startMessageRouter([portOf(a), portOf(b)], routeOf(routing, seededRandom(trial.seed + 1)))
  const clients = [await connectToNodes(1, router.url), await connectToNodes(2, router.url)]
  try {
    const outcome = routing === 'round-robin' ? await countAndNotify(trial, clients) : await elicitAll(manyMore(trial, routing), clients)
    const complaints = [a, b].map((node) => node.stderr()).join('')
    if (complaints !== '') trial.bad(`the servers complained: ${complaints.slice(0, 2_000)}`)
    return outcome
  } finally {
    for (const { client } of clients) await client.close()
  }
}

function manyMore(trial: Trial, routing: string): Trial {
  return routing === 'random' ? { ...trial, tries: Math.min(trial.tries * 10, Number.MAX_SAFE_INTEGER) } : trial
}

function routeOf(routing: string, random: () => number): (carried: Carried) => number {
  let turn = 0
  switch (routing) {
    case 'round-robin':
      return () => turn++ % 2
    case 'requests-to-a':
      return (carried) => (carried === 'answer' ? 1 : 0)
    case 'requests-to-b':
      return (carried) => (carried === 'answer' ? 0 : 1)
    default:
      return () => Math.floor(random() * 2)
  }
}

function startServer(sdk: 1 | 2, store: string, isDeaf: boolean): Promise<RunningNode> {
  const args = [`--sdk=${sdk}`, `--store=${store}`, `--node=${sdk}`, ...(isDeaf ? ['--deaf'] : [])]
  return startNode({ script: new URL('./node-server.ts', import.meta.url), args, ready: /^listening on / })
}

function portOf({ readyLine }: RunningNode): number {
  return Number(readyLine.replace('listening on ', ''))
}
