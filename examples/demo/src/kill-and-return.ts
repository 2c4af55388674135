import { createNews, pidIsGone, portRefuses, type Relay, type RunningNode, startNode, startRelay } from '@mcp-session/test-processes'
import type { Claims } from './claims.ts'
import { connect, type Major } from './connect.ts'
import type { ConnectedClient } from './connected-client.ts'
import type { Screen } from './screen.ts'

/** What stands when the server was killed and another process has taken its place. */
export interface Scene {
  readonly first: RunningNode
  readonly second: RunningNode
  readonly relay: Relay
  readonly client: ConnectedClient
  readonly sessionId: string
  /** What the first process sent to the session while the client was away. */
  readonly report: string
  /** The log messages that the client was given, in order. */
  readonly received: readonly unknown[]
  /** Whether the client is given the report within the bound. */
  getsReport(withinMs: number): Promise<boolean>
}

export interface Run {
  readonly sdk: Major
  readonly server: { readonly script: URL; readonly args: readonly string[] }
  /** What must have come back on the client's GET stream before its line is cut. */
  readonly streaming: RegExp
  readonly word: string
  readonly claims: Claims
  readonly row: Screen['row']
  /** Called while no server runs. */
  readonly between: () => Promise<void>
}

/** The steps of the story that a stock server can be put through as well: up to the moment when the line is back. */
export async function killAndReturn<T>(run: Run, onReturn: (scene: Scene) => Promise<T>): Promise<T> {
  const { claims, row } = run
  const start = () => startNode({ ...run.server, ready: /^listening on http:\S+$/ })
  const received: unknown[] = []
  const news = createNews()

  await using first = await start()
  row('server started', `pid ${first.pid}`)

  await using relay = await startRelay({ target: portOf(first) })
  await using client = disposable(
    await connect(run.sdk, new URL('/mcp', relay.url), (text) => {
      received.push(text)
      news.tell()
    }),
  )
  const sessionId = client.sessionId() ?? ''
  row('client connected', `session …${sessionId.slice(-4)}`)

  const answers = [await client.count(), await client.count()]
  claims.holds('the first process answers 1, 2 and knows the client', answers, [
    { counter: 1, pid: first.pid, client: client.name },
    { counter: 2, pid: first.pid, client: client.name },
  ])
  row(`tool "count" → 1, 2`, `answered by ${first.pid}`)

  await relay.seen((request) => request.method === 'GET' && run.streaming.test(request.reply()))
  relay.cut()
  row(`the client's line is cut`)

  first.write(`notify ${sessionId} ${run.word}`)
  const [, report = ''] = await first.line(new RegExp(`^notified ${sessionId}: (.*)$`))
  claims.holds('the report holds the word and the pid', report, `report '${run.word}' ready, says ${first.pid}`)
  claims.holds('the client is not given the report before the kill', received, [])
  row('server stores a notification', `"${report}"`, 'on disk, unread')

  claims.holds('the server runs until it is killed', pidIsGone(first.pid), false)
  claims.holds('the server dies of SIGKILL', await first.kill('SIGKILL'), { code: null, signal: 'SIGKILL' })
  claims.holds('the pid does not exist', pidIsGone(first.pid), true)
  claims.holds('the port refuses', await portRefuses(portOf(first)), true)
  row(`kill -9 ${first.pid}`, 'gone: its port refuses, the pid does not exist')
  await run.between()

  await using second = await start()
  claims.holds('the second server is another process', second.pid === first.pid, false)
  claims.holds('nothing reaches the client while its line is cut', received, [])
  row('server started again', `pid ${second.pid}`)
  relay.restore(portOf(second))

  return await onReturn({
    first,
    second,
    relay,
    client,
    sessionId,
    report,
    received,
    getsReport: (withinMs) => news.until(() => received.includes(report), withinMs),
  })
}

function portOf(server: RunningNode): number {
  return Number(new URL(server.readyLine.replace('listening on ', '')).port)
}

function disposable(client: ConnectedClient): ConnectedClient & AsyncDisposable {
  return { ...client, [Symbol.asyncDispose]: () => client.close() }
}
