import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createNews, listenOnLoopback } from '@mcp-session/test-processes'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectClient, type StockClient } from '../src/stock-client.ts'

const retry = 'retry: 20\n'
const priming = (id: string) => `${retry}id: ${id}\ndata: \n\n`
const streaming = (outgoing: ServerResponse) => outgoing.writeHead(200, { 'content-type': 'text/event-stream' })

interface Scene {
  readonly client: StockClient
  /** Whether the condition comes true. */
  readonly becomes: (condition: () => boolean) => Promise<boolean>
  /** Ids that GETs came back with. */
  readonly cursors: readonly unknown[]
}

/** A client of a server that answers the handshake, and then does with streams what the test says. */
async function scene(
  major: 1 | 2,
  get: (outgoing: ServerResponse, turn: number, cursor: unknown) => void,
  call: (outgoing: ServerResponse) => void,
): Promise<Scene> {
  const cursors: unknown[] = []
  const turns = new Map<string, number>()
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (incoming.method === 'GET') {
      const cursor = incoming.headers['last-event-id']
      cursors.push(cursor)
      // The standalone stream's ids are digits here, those of calls are letters.
      const kind = typeof cursor === 'string' && /^[a-z]/.test(cursor) ? 'call' : 'standalone'
      turns.set(kind, (turns.get(kind) ?? 0) + 1)
      get(outgoing, turns.get(kind) ?? 0, cursor)
      return
    }
    let body = ''
    for await (const chunk of incoming) body += chunk
    const { id, method, params } = JSON.parse(body)
    if (method === 'initialize') {
      const result = { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }
      outgoing.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' })
      outgoing.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
    } else if (method === 'tools/call') call(outgoing)
    else outgoing.writeHead(202).end()
  }
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
  const { url } = await listenOnLoopback(server)
  const news = createNews()
  const client = await connectClient(major, new URL('/mcp', url), { log() {}, asked: () => '' }, news.tell)
  onTestFinished(async () => {
    await client.close()
    server.close()
    server.closeAllConnections()
  })
  return { client, cursors, becomes: (condition) => news.until(condition, 5_000) }
}

const open = (outgoing: ServerResponse) => streaming(outgoing).write(priming('1'))
const refused = (outgoing: ServerResponse) => outgoing.destroy()

describe.each([1, 2] as const)('the streams of a stock client of SDK v%i', (major) => {
  it('are seen to open, to break, and to be back', async () => {
    const { client, becomes, cursors } = await scene(
      major,
      (outgoing, turn) => {
        if (turn === 1) streaming(outgoing).end(priming('1'))
        else if (turn === 2) refused(outgoing)
        else open(outgoing)
      },
      refused,
    )
    const { standalone } = client.streams
    expect(await becomes(() => standalone.openedAt > 0 && !standalone.isOpen)).toBe(true)
    const firstAt = standalone.openedAt
    expect(await becomes(() => standalone.isOpen && standalone.openedAt > firstAt)).toBe(true)
    expect(standalone.isGivenUp).toBe(false)
    expect(client.streams.hasLostPlace).toBe(false)
    expect(client.streams.place).toBe('1')
    expect(cursors).toEqual([undefined, '1', '1'])
  })

  it('are given up after two refusals', async () => {
    const { client, becomes, cursors } = await scene(
      major,
      (outgoing, turn) => {
        if (turn === 1) streaming(outgoing).end(priming('1'))
        else refused(outgoing)
      },
      refused,
    )
    expect(await becomes(() => client.streams.standalone.isGivenUp)).toBe(true)
    expect(cursors).toEqual([undefined, '1', '1'])
  })

  it('lose their place where a connection ends before its first event', async () => {
    const { client, becomes, cursors } = await scene(
      major,
      (outgoing, turn) => {
        if (turn === 1) streaming(outgoing).end(priming('1'))
        else if (turn === 2) streaming(outgoing).end(retry)
        else open(outgoing)
      },
      refused,
    )
    expect(await becomes(() => client.streams.hasLostPlace)).toBe(true)
    expect(client.streams.place).toBe('1')
    expect(cursors).toEqual([undefined, '1', undefined])
  })

  it('tell which call’s stream is given up: one that never had an id, or was refused twice', async () => {
    const calls = [
      (outgoing: ServerResponse) => streaming(outgoing).end(retry),
      (outgoing: ServerResponse) => streaming(outgoing).end(priming('a')),
    ]
    const { client, becomes } = await scene(
      major,
      (outgoing, _turn, cursor) => (cursor === 'a' ? refused(outgoing) : open(outgoing)),
      (outgoing) => calls.shift()?.(outgoing),
    )
    const endings = ['never', 'twice'].map((word) => client.call('work', { word }).catch(() => {}))
    expect(await becomes(() => client.streams.givenUp('never') === 'placeless' && client.streams.givenUp('twice') === 'refused')).toBe(true)
    await client.close()
    await Promise.all(endings)
  })

  it('do not call a stream given up that is open, or was answered after it had come back', async () => {
    const answer = (id: unknown) =>
      `id: b\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'late' }] } })}\n\n`
    const { client } = await scene(
      major,
      (outgoing, turn, cursor) => {
        if (cursor !== 'a') open(outgoing)
        else if (turn === 1) refused(outgoing)
        else streaming(outgoing).end(answer(1))
      },
      (outgoing) => streaming(outgoing).end(priming('a')),
    )
    expect(client.streams.givenUp('late')).toBeUndefined()
    expect(await client.call('work', { word: 'late' })).toBe('late')
    expect(client.streams.givenUp('late')).toBeUndefined()
    expect(client.streams.standalone.isOpen).toBe(true)
    expect(client.streams.story('late')).toMatch(/^0 POST, \d+ 200, \d+ event, \d+ end, \d+ GET, \d+ .+, \d+ GET, \d+ 200, \d+ event/)
  })

  it('are refused by a status, which the client is given as it is', async () => {
    const { client, becomes } = await scene(
      major,
      (outgoing, turn) => {
        if (turn === 1) streaming(outgoing).end(priming('1'))
        else outgoing.writeHead(404).end()
      },
      (outgoing) => outgoing.writeHead(503).end(),
    )
    await expect(client.call('work', { word: 'refused' })).rejects.toThrow(/503|Service Unavailable|POST/)
    expect(await becomes(() => client.streams.standalone.isGivenUp)).toBe(true)
    expect([...client.streams.refusals].sort()).toEqual(['GET 404', 'GET 404', 'POST 503'])
  })
})
