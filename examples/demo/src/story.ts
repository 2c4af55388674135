import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ObservedRequest, pidIsGone } from '@mcp-session/test-processes'
import { callAfterEnd } from './call-after-end.ts'
import { type Claims, Refuted } from './claims.ts'
import type { Major } from './connect.ts'
import { runControl } from './control.ts'
import { killAndReturn, type Scene } from './kill-and-return.ts'
import { type Plant, sow } from './plants.ts'
import { randomWord } from './random-word.ts'
import type { Screen } from './screen.ts'

export interface StoryOptions {
  readonly sdk: Major
  readonly plant: Plant | undefined
  readonly claims: Claims
  readonly screen: Screen
}

/** Tells the story once, asserting all of it from outside: on the wire, by pids and exit signals, through the SDK's client. */
export async function tellStory({ sdk, plant, claims, screen }: StoryOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), `mcp-session-demo-${process.pid}-`))
  try {
    const path = join(folder, 'sessions.db')
    const backend = plant === 'memory' ? 'memory:' : `sqlite:${path}`
    screen.title('One MCP client, one session, two server processes', `(SDK ${sdk} · ${backend.replace(/:.*/, '')})`)
    const run = {
      sdk,
      server: { script: new URL(import.meta.resolve('@mcp-session/example-server/main')), args: ['--sdk', sdk, '--backend', backend] },
      // The client resumes at the id that it was given last, so one must have come.
      streaming: /^id: ?\S/m,
      word: randomWord(),
      claims,
      row: screen.row,
      between: async () => sow(plant, path),
    }
    const control = await killAndReturn(run, (scene) => tellReturn(scene, { sdk, claims, screen }))
    await rm(folder, { recursive: true })
    claims.holds('the folder is gone', existsSync(folder), false)
    screen.verdict(true, 'session, counter and unread message survived kill -9', `(stock SDK server, same steps: ${control})`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function tellReturn(scene: Scene, { sdk, claims, screen }: Omit<StoryOptions, 'plant'>): Promise<string> {
  const { client, second, sessionId, report, received, relay } = scene
  const third = await client.count().catch((error: unknown) => {
    throw new Refuted(`the second process answers the same client: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  })
  claims.holds('the second process answers 3 and knows the client', third, { counter: 3, pid: second.pid, client: client.name })
  claims.holds('the client is whole: the transport is the one that it was connected with', client.isWhole(), true)
  claims.holds('the session id is the same', client.sessionId(), sessionId)
  screen.row('line restored, "count" → 3', `answered by ${second.pid}, same client object, session …${client.sessionId()?.slice(-4)}`)

  // The client comes back for its stream after the `retry` of the server; the control run fits in meanwhile.
  const [came, control] = await Promise.all([scene.getsReport(10_000), runControl(sdk, randomWord(), claims)])
  claims.holds('the client is given the report of the dead process', came, true)
  screen.row('client receives', `"${report}"`, 'written by the dead process')

  await client.terminateSession()
  const ended = relay.requests.findLast((request) => request.method === 'DELETE')
  claims.holds('the DELETE succeeds', statusOf(ended).startsWith('2'), true)
  claims.holds('a call after the DELETE is 404', await callAfterEnd(relay.url, sessionId), 404)
  await client.close()
  claims.holds('the server ends in order when asked to', await second.kill('SIGTERM'), { code: 0, signal: null })
  claims.holds('its pid does not exist', pidIsGone(second.pid), true)

  const { requests } = relay
  const initializes = requests.filter((request) => /"method"\s*:\s*"initialize"/.test(request.body()))
  claims.holds('exactly one initialize crossed the line', initializes.length, 1)
  claims.holds(
    'every other request names the session',
    new Set(requests.filter((request) => !initializes.includes(request)).map(idOf)),
    new Set([sessionId]),
  )
  claims.holds('the report is given to the client exactly once', received, [report])
  const onTheWire = requests.map((request) => request.reply().split(report.split("'")[1] ?? '').length - 1)
  claims.holds(
    'the report crosses the line exactly once',
    onTheWire.reduce((sum, count) => sum + count, 0),
    1,
  )
  return control
}

function idOf(request: ObservedRequest): string | string[] | undefined {
  return request.headers['mcp-session-id']
}

function statusOf(request: ObservedRequest | undefined): string {
  return /^HTTP\/1\.1 (\d+)/.exec(request?.reply() ?? '')?.[1] ?? ''
}
