import type { EventLog, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { type FaultRelay, startFaultRelay } from '@mcp-session/test-engines'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  anyRetention,
  call,
  engineOfFile,
  newRecord,
  newSchema,
  opened,
  openedSessions,
  rejection,
  successor,
  throughPort,
} from './fixtures.ts'

const server = engineOfFile()

interface Method {
  readonly name: string
  /** The call, which may be made again unchanged. */
  send(backend: SessionBackend, record: SessionRecord, next: SessionRecord): Promise<unknown>
  /** What it answers once it has landed, and what is there then. */
  readonly again: unknown
  check(backend: SessionBackend, record: SessionRecord, next: SessionRecord): Promise<void>
}

const event = { key: 'k', stream: 'a', data: 'x' }
const everything = { after: 0, limit: 10, maxAgeMs: Number.POSITIVE_INFINITY }

const methods: readonly Method[] = [
  {
    name: 'replace',
    send: (backend, record, next) => backend.replace(next, record.rev, call()),
    // The record that is live is the one that was sent: it has landed.
    again: expect.objectContaining({ replaced: false, current: expect.objectContaining({ prevRev: expect.any(String) }) }),
    check: async (backend, record, next) => expect(await backend.get(record.id, call())).toEqual(next),
  },
  {
    name: 'touch',
    send: (backend, record) =>
      backend.touch({ id: record.id, rev: record.rev, lastAccessedAt: record.lastAccessedAt + 5, expiresAt: record.expiresAt + 5 }, call()),
    again: 'touched',
    check: async (backend, record) =>
      expect(await backend.get(record.id, call())).toEqual({
        ...record,
        lastAccessedAt: record.lastAccessedAt + 5,
        expiresAt: record.expiresAt + 5,
      }),
  },
  {
    name: 'delete',
    send: (backend, record) => backend.delete(record.id, record.rev, call()),
    again: false,
    check: async (backend, record) => expect(await backend.get(record.id, call())).toBeUndefined(),
  },
  {
    name: 'append',
    send: (backend, record) => eventsOf(backend).append(record.id, event, anyRetention, call()),
    again: 1,
    check: async (backend, record) => expect((await eventsOf(backend).read(record.id, everything, call()))?.events).toHaveLength(1),
  },
  {
    name: 'restore',
    send: (backend, record) =>
      eventsOf(backend).restore(record.id, { events: [{ ...event, sequence: 7, createdAt: 1 }], last: 9, trimmed: false }, call()),
    again: true,
    check: async (backend, record) =>
      expect(await eventsOf(backend).read(record.id, everything, call())).toMatchObject({ last: 9, trimmed: false }),
  },
  {
    name: 'create',
    send: (backend, _, next) => backend.create({ ...next, id: `${next.id}x` }, call()),
    again: false,
    check: async (backend, _, next) => expect(await backend.get(`${next.id}x`, call())).toEqual({ ...next, id: `${next.id}x` }),
  },
]

describe('a reply that is lost', () => {
  it.each(methods)('to $name is an unknown outcome, and the same call tells what has become of it', async ({ send, again, check }) => {
    const { relay, backend } = await relayed()
    const record = newRecord()
    await backend.create(record, call())
    const next = successor(record, { data: 'next' })
    const lost = relay.dropRepliesAfter((bytes) => bytes.includes(record.id))
    const error = await rejection(send(backend, record, next))
    await lost
    expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' })
    expect(await send(backend, record, next)).toEqual(again)
    await check(backend, record, next)
  })

  it('to a read is asked for again', async () => {
    const { relay, backend } = await relayed()
    const record = newRecord()
    await backend.create(record, call())
    for (const read of [
      () => backend.get(record.id, call()),
      async () => (await backend.list({ limit: 10, prefix: record.id }, call())).records[0],
    ]) {
      const lost = relay.dropRepliesAfter((bytes) => bytes.includes(record.id))
      expect(await read()).toEqual(record)
      await lost
    }
  })

  it('to an update, again and again, makes no increment happen twice', async () => {
    const { url } = server
    const relay = await relayTo(server.engine.port)
    const sessions = await openedSessions({ url: throughPort(url, relay.port), schema: newSchema(url) }, 20_000)
    const { id } = await sessions.create({ counter: 0 })
    let lostReplies = 0
    for (let n = 1; n <= 12; n += 1) {
      // The data of the record is said only by the write.
      const lost = relay
        .dropRepliesAfter((bytes) => bytes.includes(`"counter":${n}}`))
        .then(() => {
          lostReplies += 1
        })
      await sessions.update(id, ({ counter }) => ({ counter: counter + 1 }))
      await lost
      expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: n })
    }
    expect(lostReplies).toBe(12)
  }, 60_000)

  it('to a delete brings nothing back', async () => {
    const { url } = server
    const relay = await relayTo(server.engine.port)
    const sessions = await openedSessions({ url: throughPort(url, relay.port), schema: newSchema(url) }, 20_000)
    const { id } = await sessions.create({ counter: 0 })
    const lost = relay.dropRepliesAfter((bytes) => bytes.includes(id))
    await sessions.delete(id)
    await lost
    expect(await sessions.retrieve(id)).toBeUndefined()
    expect(await sessions.update(id, ({ counter }) => ({ counter: counter + 1 }))).toBeUndefined()
  })
})

async function relayed(): Promise<{ relay: FaultRelay; backend: SessionBackend }> {
  const { url } = server
  const relay = await relayTo(server.engine.port)
  return { relay, backend: await opened({ url: throughPort(url, relay.port), schema: newSchema(url) }) }
}

async function relayTo(target: number): Promise<FaultRelay> {
  const relay = await startFaultRelay({ target })
  onTestFinished(() => relay.close())
  return relay
}

function eventsOf({ events }: SessionBackend): EventLog {
  if (events === undefined) throw new Error('no event log')
  return events
}
