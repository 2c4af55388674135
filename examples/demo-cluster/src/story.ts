import type { Claims } from '@mcp-session/example-demo/claims'
import type { Major } from '@mcp-session/example-demo/connect'
import type { Screen } from '@mcp-session/example-demo/screen'
import { startPostgres, startRedis } from '@mcp-session/test-engines'
import { pidIsGone, portRefuses, type RunningNode, startNode, startRoundRobin } from '@mcp-session/test-processes'
import { meetBoth } from './meet-both.ts'

export type EngineName = 'redis' | 'postgres'

export interface StoryOptions {
  readonly engine: EngineName
  /** Of the client. The servers are one of each. */
  readonly sdk: Major
  /** A planted fault: each server keeps its sessions to itself. */
  readonly inMemory: boolean
  readonly claims: Claims
  readonly screen: Screen
}

/** Tells the story once, asserting all of it from outside: by pids and exit signals, at the proxy, through the SDK's client. */
export async function tellStory({ engine: name, sdk, inMemory, claims, screen }: StoryOptions): Promise<void> {
  screen.title('One MCP client, one session, two servers, a round robin', `(SDK ${sdk} · ${name})`)
  await using engine = await (name === 'redis' ? startRedis() : startPostgres())
  const [pid = 0] = await engine.pids()
  screen.row(`${name} started`, `pid ${pid}, port ${engine.port}`)

  const start = (major: Major) =>
    startNode({
      script: new URL(import.meta.resolve('@mcp-session/example-server/main')),
      args: ['--sdk', major, '--backend', inMemory ? 'memory:' : engine.url],
      ready: /^listening on http:\S+$/,
    })
  await using one = await start('v1')
  await using two = await start('v2')
  screen.row('two servers started', `pid ${one.pid} (SDK v1), ${two.pid} (SDK v2)`)

  await using proxy = await startRoundRobin({ targets: [portOf(one), portOf(two)], passOver: true })
  await meetBoth({ servers: [one, two], proxy, sdk, claims, row: screen.row })

  await engine.close()
  claims.holds(`${name} is gone`, [pidIsGone(pid), await portRefuses(engine.port)], [true, true])
  screen.verdict(true, 'one session on two servers: exact counter, one stream, and kill -9 of the server that held it')
}

function portOf(server: RunningNode): number {
  return Number(new URL(server.readyLine.replace('listening on ', '')).port)
}
