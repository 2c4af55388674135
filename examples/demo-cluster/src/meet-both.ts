import { callAfterEnd } from '@mcp-session/example-demo/call-after-end'
import { type Claims, Refuted } from '@mcp-session/example-demo/claims'
import { connect, type Major } from '@mcp-session/example-demo/connect'
import type { CountResult } from '@mcp-session/example-demo/connected-client'
import { randomWord } from '@mcp-session/example-demo/random-word'
import type { Screen } from '@mcp-session/example-demo/screen'
import { createNews, pidIsGone, portRefuses, type RoundRobin, type RunningNode } from '@mcp-session/test-processes'

export interface Scene {
  readonly servers: readonly [RunningNode, RunningNode]
  /** In front of both. */
  readonly proxy: RoundRobin
  readonly sdk: Major
  readonly claims: Claims
  readonly row: Screen['row']
}

const inTurn = 6
const atOnce = 20
const afterwards = 4
/** The client comes back for its stream after the servers' `retry` of 5 s. */
const streamWithinMs = 20_000

/** One client meets both servers, and then only one of them. */
export async function meetBoth({ servers, proxy, sdk, claims, row }: Scene): Promise<void> {
  const received: unknown[] = []
  const news = createNews()
  const onLog = (text: unknown) => {
    received.push(text)
    news.tell()
  }
  const client = await connect(sdk, new URL('/mcp', proxy.url), onLog).catch(
    refuted('the handshake succeeds, of which each server sees a half'),
  )
  await using _closing = { [Symbol.asyncDispose]: () => client.close() }
  const sessionId = client.sessionId() ?? ''
  row('client connected', `session …${sessionId.slice(-4)}`)

  let counter = 0
  /** Calls come with the next numbers, in this order or (at once) in any. */
  async function count(what: string, calls: number, call: (n: number) => Promise<readonly CountResult[]>): Promise<readonly number[]> {
    const answers = await call(calls).catch(refuted(`${what} the calls succeed`))
    const numbers = Array.from({ length: calls }, (_, n) => counter + n + 1)
    claims.holds(
      `${what} the counter is exact`,
      answers.map((answer) => answer.counter).toSorted((a, b) => a - b),
      numbers,
    )
    claims.holds(`${what} every server knows the client`, new Set(answers.map((answer) => answer.client)), new Set([client.name]))
    counter += calls
    return answers.map(({ pid }) => pid)
  }
  const oneByOne = async (calls: number) => {
    const answers: CountResult[] = []
    while (answers.length < calls) answers.push(await client.count())
    return answers
  }
  const together = (calls: number) => Promise.all(Array.from({ length: calls }, () => client.count()))

  const both = new Set(servers.map(({ pid }) => pid))
  const turns = await count('one by one', inTurn, oneByOne)
  claims.holds('both servers answer', new Set(turns), both)
  row(`tool "count" → 1 … ${counter}`, 'each call to the next server', `answered by ${turns.join(' ')}`)

  const answered = await count('at once', atOnce, together)
  claims.holds('both servers answer at once', new Set(answered), both)
  const shares = servers.map(({ pid }) => `${answered.filter((each) => each === pid).length} by ${pid}`)
  row(`${atOnce} calls at once → ${counter - atOnce + 1} … ${counter}`, shares.join(', '), 'no number twice, none missing')

  const reports: string[] = []
  const report = async (server: RunningNode) => {
    const word = randomWord()
    server.write(`notify ${sessionId} ${word}`)
    const [, text = ''] = await server.line(new RegExp(`^notified ${sessionId}: (.*'${word}'.*)$`))
    reports.push(text)
    return text
  }
  const isReceived = (text: string) => news.until(() => received.includes(text), streamWithinMs)
  for (const server of servers) {
    const text = await report(server)
    claims.holds('the client is given what a server reports', await isReceived(text), true)
    row('client receives', `"${text}"`)
  }
  claims.holds(
    'every request goes to the next server',
    proxy.given.map(({ target }) => target),
    proxy.given.map((_, n) => n % servers.length),
  )
  const place = proxy.given.findLast(({ method }) => method === 'GET')?.target
  claims.holds('the client has one stream', [place, proxy.given.filter(({ method }) => method === 'GET').length], [place === 1 ? 1 : 0, 1])
  const [holder, survivor] = place === 1 ? [servers[1], servers[0]] : servers
  row('both on its one stream', `held by ${holder.pid}`)

  const lastWords = await report(holder)
  const port = Number(new URL(holder.readyLine.replace('listening on ', '')).port)
  claims.holds('the server dies of SIGKILL', await holder.kill('SIGKILL'), { code: null, signal: 'SIGKILL' })
  claims.holds('its pid does not exist and its port refuses', [pidIsGone(holder.pid), await portRefuses(port)], [true, true])
  row(`kill -9 ${holder.pid}`, 'gone: its port refuses, the pid does not exist')

  const rest = await count('after the kill', afterwards, oneByOne)
  claims.holds('the other server answers all', new Set(rest), new Set([survivor.pid]))
  row(
    `"count" → ${counter - afterwards + 1} … ${counter}`,
    `answered by ${survivor.pid}, same client object`,
    `session …${sessionId.slice(-4)}`,
  )

  const greeting = await report(survivor)
  claims.holds('the client is given what the dead server reported last', await isReceived(lastWords), true)
  claims.holds('the client is given what the other server reports', await isReceived(greeting), true)
  row('client receives', `"${greeting}"`, 'its stream goes on at the other server')
  claims.holds('every report is given to the client once, in order', received, reports)
  claims.holds('the client and its session are the same', [client.isWhole(), client.sessionId()], [true, sessionId])

  await client.terminateSession()
  claims.holds('a call after the DELETE is 404', await callAfterEnd(proxy.url, sessionId), 404)
  await client.close()
  claims.holds('the other server ends in order when asked to', await survivor.kill('SIGTERM'), { code: 0, signal: null })
}

function refuted(claim: string): (error: unknown) => never {
  return (error) => {
    throw new Refuted(`${claim}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
