import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, startRedis } from '@mcp-session/test-engines'
import { pidIsGone, portRefuses, type RunningNode, startNode } from '@mcp-session/test-processes'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backendOf } from '../src/backend-url.ts'
import { optionsOf } from '../src/options.ts'

const script = new URL('../src/main.ts', import.meta.url)
const start = (...args: string[]) => startNode({ script, args, ready: /^listening on / })
const urlOf = (server: RunningNode) => new URL(server.readyLine.replace('listening on ', ''))

async function connectV1(url: URL) {
  const client = new ClientV1({ name: 'one', version: '1' })
  const transport = new TransportV1(url)
  await client.connect(transport)
  return { client, sessionId: () => transport.sessionId, count: async () => (await client.callTool({ name: 'count' })).structuredContent }
}

async function connectV2(url: URL) {
  const client = new ClientV2({ name: 'two', version: '1' })
  const transport = new TransportV2(url)
  await client.connect(transport)
  return { client, sessionId: () => transport.sessionId, count: async () => (await client.callTool({ name: 'count' })).structuredContent }
}

describe('the example server', { timeout: 60_000 }, () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-session-example-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it.each([
    ['v1', 'memory'],
    ['v1', 'sqlite'],
    ['v2', 'memory'],
    ['v2', 'sqlite'],
  ])('counts per session with SDK %s on %s, for clients of both majors', async (sdk, backend) => {
    await using server = await start('--sdk', sdk, '--backend', backend === 'memory' ? 'memory:' : `sqlite:${join(folder, `${sdk}.db`)}`)
    const one = await connectV1(urlOf(server))
    const two = await connectV2(urlOf(server))
    expect(one.sessionId()).not.toBe(two.sessionId())
    expect(await one.count()).toEqual({ counter: 1, pid: server.pid, client: 'one' })
    expect(await one.count()).toEqual({ counter: 2, pid: server.pid, client: 'one' })
    expect(await two.count()).toEqual({ counter: 1, pid: server.pid, client: 'two' })
    await one.client.close()
    await two.client.close()
  })

  it.each([
    ['redis', startRedis],
    ['postgres', startPostgres],
  ])('counts in one session from two servers of different majors on one %s', async (_name, startEngine) => {
    await using engine = await startEngine()
    await using one = await start('--sdk', 'v1', '--backend', engine.url)
    await using two = await start('--sdk', 'v2', '--backend', engine.url)
    const client = await connectV2(urlOf(one))
    expect(await client.count()).toEqual({ counter: 1, pid: one.pid, client: 'two' })
    const answer = await fetch(urlOf(two), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': client.sessionId() ?? '',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'count', arguments: {} } }),
    })
    // As JSON, or as an event where the machine is too busy for an answer at once.
    const [, result = ''] = /^(?:data: ?)?(\{.*"id":7.*\})$/m.exec(await answer.text()) ?? []
    expect(JSON.parse(result)).toMatchObject({ result: { structuredContent: { counter: 2, pid: two.pid, client: 'two' } } })
    expect(await client.count()).toEqual({ counter: 3, pid: one.pid, client: 'two' })
    await client.client.close()
  })

  it('sends what it is told to, to that session only', async () => {
    await using server = await start()
    const two = await connectV2(urlOf(server))
    const other = await connectV2(urlOf(server))
    const foreign: unknown[] = []
    other.client.setNotificationHandler('notifications/message', ({ params }) => void foreign.push(params.data))
    const given = new Promise((resolve) => two.client.setNotificationHandler('notifications/message', ({ params }) => resolve(params.data)))
    await two.count()
    server.write(`notify ${two.sessionId()} amber`)
    expect(await given).toBe(`report 'amber' ready, says ${server.pid}`)
    server.write('notify s_nobody amber')
    await server.line(/^no live server for session s_nobody$/)
    await other.count()
    expect(foreign).toEqual([])
    await two.client.close()
    await other.client.close()
  })

  it('ends in order at SIGTERM while a client listens', async () => {
    await using server = await start('--backend', `sqlite:${join(folder, 'term.db')}`)
    const two = await connectV2(urlOf(server))
    await two.count()
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(pidIsGone(server.pid)).toBe(true)
    expect(await portRefuses(Number(urlOf(server).port))).toBe(true)
    await two.client.close()
  })

  it('answers 404 beside /mcp', async () => {
    await using server = await start()
    expect((await fetch(new URL('/', urlOf(server)))).status).toBe(404)
  })

  it('ends on SIGTERM although a client has connected and never asked', async () => {
    await using server = await start()
    const silent = connect(Number(urlOf(server).port), '127.0.0.1').on('error', () => {})
    await once(silent, 'connect')
    // An answer on a later connection: the silent one has been accepted.
    expect((await fetch(new URL('/', urlOf(server)))).status).toBe(404)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    silent.destroy()
  })

  it('says what is wrong with its command line and ends', async () => {
    await expect(start('--backend', 'mysql://nowhere')).rejects.toThrow(/--backend is memory:, .*, not mysql:\/\/nowhere/)
  })
})

describe('optionsOf', () => {
  it('has defaults', () => {
    expect(optionsOf([])).toEqual({ sdk: 'v2', backend: 'memory:', port: 0 })
  })

  it.each([
    [['--sdk', 'v3'], '--sdk is v1 or v2, not v3'],
    [['--port', '-1'], '--port=-XYZ'],
    [['--port', '65536'], '--port is a number up to 65535, not 65536'],
    [['--port', '1e3'], '--port is a number up to 65535, not 1e3'],
    [['--colour'], "'--colour'"],
  ])('refuses %j', (args, message) => {
    expect(() => optionsOf(args)).toThrow(message)
  })
})

describe('backendOf', () => {
  it.each(['sqlite:', 'sqlite', 'memory', 'redis:', 'postgres', ''])('refuses %j', (url) => {
    expect(() => backendOf(url)).toThrow(RangeError)
  })
})
