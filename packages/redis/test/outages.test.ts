import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { type Engine, type FaultRelay, startFaultRelay, startRedis } from '@mcp-session/test-engines'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { redisBackend } from '../src/index.ts'
import { sendOnce } from '../src/send.ts'
import { call, newRecord, opened, rawClient, sharedEngine, stored } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const shared = sharedEngine()
const unhandled: unknown[] = []
const note = (error: unknown) => void unhandled.push(error)

beforeAll(() => {
  process.on('unhandledRejection', note)
})

afterAll(() => {
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

/** Many calls of all kinds with the deadline given; each must settle, whatever it comes to. */
async function load(backend: SessionBackend, id: string, withinMs: number) {
  return Promise.allSettled(
    Array.from({ length: 400 }, async (_, n) => {
      if (n % 4 === 0) return backend.create(newRecord(), call(undefined, withinMs))
      if (n % 4 === 1) return backend.list({ limit: 10 }, call(undefined, withinMs))
      if (n % 4 === 2)
        return backend.events?.append(
          id,
          { key: `${n}`, stream: 's', data: 'x' },
          { maxEvents: 9, maxAgeMs: 9, maxBytes: 9 },
          call(undefined, withinMs),
        )
      return backend.get(id, call(undefined, withinMs))
    }),
  )
}

/** Until a call succeeds; without a new backend, and without a pause but the calls' own. */
async function firstSuccess(backend: SessionBackend, id: string): Promise<void> {
  for (;;) {
    const found = await backend.get(id, call(undefined, 500)).catch(() => undefined)
    if (found !== undefined) return
  }
}

interface Outage {
  begin(engine: Engine, relay: FaultRelay): Promise<void> | void
  end(engine: Engine, relay: FaultRelay): Promise<void> | void
}

const outages: Readonly<Record<string, Outage>> = {
  'is killed': { begin: (engine) => engine.kill(), end: (engine) => engine.start() },
  'stands still': { begin: (engine) => engine.pause(), end: (engine) => engine.resume() },
  'is behind a black hole': { begin: (_, relay) => relay.mode('black-hole'), end: (_, relay) => relay.mode('forward') },
  'resets every connection': { begin: (_, relay) => relay.mode('reset'), end: (_, relay) => relay.mode('forward') },
  'loses every reply': { begin: (_, relay) => relay.mode('drop-replies'), end: (_, relay) => relay.mode('forward') },
  'refuses connections': { begin: (_, relay) => relay.mode('refuse'), end: (_, relay) => relay.mode('forward') },
}

for (const [name, outage] of Object.entries(outages)) {
  it(`settles every call while the server ${name}, names each failure, and goes on by itself afterwards`, async () => {
    const engine = await startRedis()
    onTestFinished(() => engine.close())
    const relay = await startFaultRelay({ target: engine.port })
    onTestFinished(() => relay.close())
    const backend = await opened({ url: `redis://127.0.0.1:${relay.port}`, prefix: 'p' })
    const { id } = await stored(backend)
    await outage.begin(engine, relay)
    const withinMs = 400
    // Twice: the second time the client has noticed, or hangs in a handshake.
    for (let round = 0; round < 2; round += 1) {
      const outcomes = await load(backend, id, withinMs)
      for (const outcome of outcomes) {
        if (outcome.status !== 'rejected') continue
        const known = SessionError.is(outcome.reason) ? outcome.reason : backend.classify(outcome.reason)
        expect(known, String(outcome.reason)).toMatchObject({ retryable: true })
      }
      expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true)
    }
    await outage.end(engine, relay)
    await firstSuccess(backend, id)
    expect(await backend.create(newRecord(), call())).toBe(true)
  }, 60_000)
}

it('holds no more calls than its queue has room for, and refuses the others at once', async () => {
  const engine = await startRedis()
  onTestFinished(() => engine.close())
  const backend = await opened({ url: engine.url, prefix: 'p' })
  await engine.kill()
  const held = Array.from({ length: 17_000 }, () => backend.get('s_x', call(undefined, 1_500)).catch((error: unknown) => error))
  const errors = await Promise.all(held)
  const refused = errors.filter((error) => SessionError.is(error, 'MCP_SESSION_OVERLOADED'))
  expect(refused.length).toBe(17_000 - 16_384)
  expect(errors.filter((error) => !SessionError.is(error)).every((error) => backend.classify(error)?.outcome === 'none')).toBe(true)
  await engine.start()
}, 60_000)

it('waits with close for the calls that hang, until their deadlines', async () => {
  const engine = await startRedis()
  onTestFinished(() => engine.close())
  const backend = await opened({ url: engine.url, prefix: 'p' })
  await engine.pause()
  let settled = 0
  const hanging = Array.from({ length: 50 }, () =>
    backend.create(newRecord(), call(undefined, 300)).catch(() => {
      settled += 1
    }),
  )
  await backend.close()
  expect(settled).toBe(50)
  await Promise.all(hanging)
  await engine.resume()
}, 60_000)

it('drops a connection that has not answered by the deadline of a call', async () => {
  await using engine = await startRedis()
  const client = rawClient(engine.url)
  const backend = await opened({ url: engine.url, prefix: 'p', redisOptions: { connectionName: 'ours' } })
  const connectionId = async () => /^id=(\d+) .* name=ours /m.exec(String(await client.client('LIST')))?.[1]
  const before = await connectionId()
  expect(before).toBeDefined()
  await engine.pause()
  await expect(backend.get('s_x', call(undefined, 200))).rejects.toMatchObject({ reason: 'no-reply' })
  await engine.resume()
  await backend.get('s_x', call())
  expect(await connectionId()).not.toBe(before)
})

it('tries again when a handshake gets no answer, and tells open so', async () => {
  let connections = 0
  const silent = createServer((socket) => {
    connections += 1
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
  })
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  onTestFinished(() => void silent.close())
  await expect(redisBackend({ url: `redis://127.0.0.1:${port}`, prefix: 'p' }).open()).rejects.toMatchObject({
    code: 'MCP_SESSION_UNAVAILABLE',
  })
  expect(connections).toBeGreaterThan(2)
}, 30_000)

it('never writes a command to the socket after its deadline, also where the driver has kept it until then', async () => {
  const { port, url } = await shared()
  const relay = await startFaultRelay({ target: port })
  onTestFinished(() => relay.close())
  relay.mode('refuse')
  const client = new Redis(relay.port, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 10 })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  const key = newPrefix()
  const late = sendOnce(client, { name: 'set', args: [key, 'x'], deadlineAt: performance.now() + 200 })
  await expect(late).rejects.toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'none' })
  relay.mode('forward')
  await client.ping()
  expect(await rawClient(url).exists(key)).toBe(0)
})

it('knows its scripts again after SCRIPT FLUSH, in the middle of the load', async () => {
  const { url } = await shared()
  const client = rawClient(url)
  const backend = await opened({ url, prefix: newPrefix() })
  const created: Promise<boolean>[] = []
  for (let round = 0; round < 40; round += 1) {
    for (let n = 0; n < 20; n += 1) created.push(backend.create(newRecord({ owner: `owner ${n}` }), call()))
    await client.script('FLUSH')
  }
  expect((await Promise.all(created)).every((answer) => answer)).toBe(true)
}, 60_000)

it('finds nothing after FLUSHALL, and creates anew', async () => {
  await using engine = await startRedis()
  const backend = await opened({ url: engine.url, prefix: 'p' })
  const record = await stored(backend, { owner: 'alice' })
  await rawClient(engine.url).flushall()
  expect(await backend.get(record.id, call())).toBeUndefined()
  expect(await backend.replace(record, record.rev, call())).toEqual({ replaced: false, current: undefined })
  expect(await backend.touch(record, call())).toBe('missing')
  expect((await backend.list({ limit: 9, owner: 'alice' }, call())).records).toEqual([])
  expect(await backend.create(record, call())).toBe(true)
  expect((await backend.list({ limit: 9, owner: 'alice' }, call())).records).toEqual([record])
})

it('refuses writes and lets sessions be read and deleted while the server has no memory left', async () => {
  const { url } = await startRedisWithoutMemory()
  const client = rawClient(url)
  const backend = await opened({ url, prefix: 'p' })
  const record = await stored(backend, { owner: 'alice' })
  await client.config('SET', 'maxmemory', '1')
  const error: unknown = await backend.create(newRecord(), call()).catch((reason: unknown) => reason)
  expect(backend.classify(error)).toMatchObject({ code: 'MCP_SESSION_LIMIT', outcome: 'none' })
  expect(await backend.get(record.id, call())).toEqual(record)
  expect(await backend.delete(record.id, undefined, call())).toBe(true)
})

async function startRedisWithoutMemory(): Promise<Engine> {
  const engine = await startRedis({ config: { 'maxmemory-policy': 'noeviction' } })
  onTestFinished(() => engine.close())
  return engine
}
