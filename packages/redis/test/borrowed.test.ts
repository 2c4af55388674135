import { startFaultRelay, startRedis } from '@mcp-session/test-engines'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { redisBackend } from '../src/index.ts'
import { call, keepAll, newRecord, opened, rawClient, sharedEngine, stored } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine()

function listenersOf(client: Redis) {
  return client.eventNames().map((name) => [name, client.listenerCount(name)])
}

it('adds no listener, command or setting to a lent client, open or closed', async () => {
  const { url } = await engine()
  const client = rawClient(url)
  await client.ping()
  const before = [listenersOf(client), Object.keys(client).sort(), { ...client.options }]
  const backend = redisBackend({ client, prefix: newPrefix() })
  await backend.open()
  const { id } = await stored(backend, { owner: 'alice' })
  await backend.events?.append(id, { key: 'k', stream: 's', data: 'x' }, keepAll, call())
  await backend.signals?.subscribe('channel', () => {})
  expect([listenersOf(client), Object.keys(client).sort(), { ...client.options }]).toEqual(before)
  await backend.close()
  expect([listenersOf(client), Object.keys(client).sort(), { ...client.options }]).toEqual(before)
  expect(await client.ping()).toBe('PONG')
})

it('puts the keyPrefix of a lent client before its own, and finds everything under it', async () => {
  const { url } = await engine()
  const app = newPrefix()
  const client = new Redis(url, { keyPrefix: `${app}:`, enableAutoPipelining: true })
  onTestFinished(() => client.disconnect())
  const backend = await opened({ client, prefix: 'p' })
  const record = await stored(backend, { owner: 'alice' })
  expect(await backend.get(record.id, call())).toEqual(record)
  expect((await backend.list({ limit: 9 }, call())).records).toEqual([record])
  expect((await backend.list({ limit: 9, owner: 'alice' }, call())).records).toEqual([record])
  expect(await rawClient(url).exists(`${app}:p:{${record.id}}`)).toBe(1)
  expect(() => redisBackend({ client: new Redis({ lazyConnect: true, keyPrefix: '{x}' }), prefix: 'p' })).toThrow(TypeError)
})

it('connects a client that has not connected yet', async () => {
  const { url } = await engine()
  const client = new Redis(url, { lazyConnect: true })
  onTestFinished(() => client.disconnect())
  const backend = await opened({ client, prefix: newPrefix() })
  expect(await backend.create(newRecord(), call())).toBe(true)
})

it('sends no write again, although the options of the client would', async () => {
  const { port, url } = await engine()
  const relay = await startFaultRelay({ target: port })
  onTestFinished(() => relay.close())
  const client = new Redis(relay.port, { autoResendUnfulfilledCommands: true, maxRetriesPerRequest: null, retryStrategy: () => 10 })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  const prefix = newPrefix()
  const straight = await opened({ url, prefix })
  await stored(straight)
  const backend = await opened({ client, prefix })
  await stored(backend)
  const record = newRecord()
  const lost = relay.dropRepliesAfter((bytes) => bytes.includes(record.id) && bytes.includes('create'))
  const outcome = await backend.create(record, call()).catch((error: unknown) => backend.classify(error))
  await lost
  expect(outcome).toMatchObject({ outcome: 'unknown' })
  expect(await backend.get(record.id, call())).toEqual(record)
}, 30_000)

it('sends nothing after its deadline that a lent client has kept while it was not connected', async () => {
  await using server = await startRedis()
  const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  const backend = await opened({ client, prefix: 'p' })
  await server.kill()
  const record = newRecord()
  const error: unknown = await backend.create(record, call(undefined, 200)).catch((reason: unknown) => reason)
  expect(backend.classify(error)?.outcome ?? 'none').toBe('none')
  await server.start()
  await client.ping()
  expect(await backend.get(record.id, call())).toBeUndefined()
}, 30_000)

it('fails typed when the application closes the client that it lent', async () => {
  const { url } = await engine()
  const client = new Redis(url)
  const backend = await opened({ client, prefix: newPrefix() })
  client.disconnect()
  const error: unknown = await backend.create(newRecord(), call(undefined, 500)).catch((reason: unknown) => reason)
  expect(backend.classify(error)).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE' })
})
