import type { Sessions } from '@mcp-session/core'
import { SessionError } from '@mcp-session/core/backend'
import { type Engine, type FaultRelay, startFaultRelay, startPostgres } from '@mcp-session/test-engines'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  type Counter,
  call,
  engineOfFile,
  failure,
  newRecord,
  newSchema,
  opened,
  openedSessions,
  rejection,
  sql,
  throughPort,
} from './fixtures.ts'

const server = engineOfFile(startPostgres)
const callTimeoutMs = 700
const unhandled: unknown[] = []

beforeAll(() => {
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
})
afterAll(() => {
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
  expect(unhandled).toEqual([])
})

function note(error: unknown): void {
  unhandled.push(error)
}

interface Outage {
  readonly kind: string
  begin(engine: Engine, relay: FaultRelay): Promise<unknown> | unknown
  end(engine: Engine, relay: FaultRelay): Promise<unknown> | unknown
}

const outages: readonly Outage[] = [
  { kind: 'kill -9 of all of it', begin: (engine) => engine.kill(), end: (engine) => engine.start() },
  { kind: 'SIGSTOP', begin: (engine) => engine.pause(), end: (engine) => engine.resume() },
  { kind: 'a black hole', begin: (_, relay) => relay.mode('black-hole'), end: (_, relay) => relay.mode('forward') },
  { kind: 'resets', begin: (_, relay) => relay.mode('reset'), end: (_, relay) => relay.mode('forward') },
  { kind: 'lost replies', begin: (_, relay) => relay.mode('drop-replies'), end: (_, relay) => relay.mode('forward') },
  { kind: 'a port that nobody listens on', begin: (_, relay) => relay.mode('refuse'), end: (_, relay) => relay.mode('forward') },
]

describe('an outage', () => {
  it.each(outages)(
    'by $kind: every call settles with a typed error, and the first one afterwards succeeds',
    async ({ begin, end }) => {
      const { engine, url } = server
      const relay = await startFaultRelay({ target: engine.port })
      onTestFinished(() => relay.close())
      const schema = newSchema(url)
      const sessions = await openedSessions({ url: throughPort(url, relay.port), schema }, callTimeoutMs)
      const { id } = await sessions.create({ counter: 0 })
      await begin(engine, relay)
      const outcomes: unknown[] = []
      for (let round = 0; round < 4; round += 1) {
        const calls = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? sessions.retrieve(id) : increment(sessions, id)))
        outcomes.push(...(await Promise.all(calls.map((sent) => sent.catch((error: unknown) => error)))))
      }
      const failures = outcomes.filter((outcome) => outcome instanceof Error)
      expect(failures.length).toBeGreaterThan(0)
      for (const error of failures) {
        if (!SessionError.is(error)) throw error
        expect(['MCP_SESSION_UNAVAILABLE', 'MCP_SESSION_TIMEOUT', 'MCP_SESSION_CONFLICT']).toContain(error.code)
        expect(error.retryable).toBe(true)
      }
      await end(engine, relay)
      await until(() => sessions.retrieve(id))
      const before = (await sessions.retrieve(id))?.metadata.counter ?? Number.NaN
      await sessions.update(id, ({ counter }) => ({ counter: counter + 1 }))
      const acknowledged = outcomes.length - failures.length
      // Increments with an unknown outcome may be there, acknowledged ones must.
      expect(before).toBeLessThanOrEqual(100)
      expect(before).toBeGreaterThanOrEqual(outcomes.filter((outcome) => outcome === 'incremented').length)
      expect(acknowledged).toBeLessThan(outcomes.length)
      expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: before + 1 })
    },
    60_000,
  )

  it('ends calls that wait in the queue at their deadlines, and takes no more of them than the queue holds', async () => {
    const { engine, url } = server
    const backend = await opened({ url, schema: newSchema(url) })
    const record = newRecord()
    await backend.create(record, call())
    await engine.pause()
    try {
      const deadline = call(undefined, 1_500)
      const errors = await Promise.all(Array.from({ length: 20_000 }, () => rejection(backend.get(record.id, deadline))))
      const codes = errors.map((error) => (SessionError.is(error) ? error.code : backend.classify(error)?.code))
      expect(codes.filter((code) => code === 'MCP_SESSION_OVERLOADED')).toHaveLength(20_000 - 16_384)
      expect(['MCP_SESSION_OVERLOADED', 'MCP_SESSION_TIMEOUT', 'MCP_SESSION_UNAVAILABLE']).toEqual(
        expect.arrayContaining([...new Set(codes)]),
      )
    } finally {
      await engine.resume()
    }
    await until(() => backend.get(record.id, call()))
  }, 60_000)

  it('closes within a moment while the engine is stopped', async () => {
    const { engine, url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    await backend.signals?.subscribe('c', () => {})
    await backend.create(newRecord(), call())
    await engine.pause()
    try {
      const last = rejection(backend.create(newRecord(), call(undefined, 300)))
      await backend.close()
      await last
    } finally {
      await engine.resume()
    }
    await failure(backend.get('s_x', call()), 'MCP_SESSION_CLOSED')
  }, 60_000)
})

describe('a connection that the engine ends', () => {
  it('is replaced: idle ones are noticed by nobody, and reads that were under way are asked again', async () => {
    const { url } = server
    const backend = await opened({ url, schema: newSchema(url), poolOptions: { application_name: 'victim' } })
    const records = Array.from({ length: 50 }, () => newRecord())
    await Promise.all(records.map((record) => backend.create(record, call())))
    const terminate = `SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE application_name = 'victim'`
    expect(Number((await sql(url, terminate))[0]?.[0])).toBeGreaterThan(0)
    // Nothing was under way.
    const left = () => sql(url, `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'victim'`)
    await expect.poll(left, { timeout: 10_000 }).toEqual([[0]])
    expect(await backend.get(records[0]?.id ?? '', call())).toEqual(records[0])
    let ended = 0
    for (let round = 0; round < 10; round += 1) {
      const killing = sql(url, terminate)
      for (const record of records) expect(await backend.get(record.id, call())).toEqual(record)
      ended += Number((await killing)[0]?.[0])
    }
    expect(ended).toBeGreaterThan(0)
  }, 60_000)

  it('in the middle of writes gives unknown outcomes, and every write is there that was acknowledged', async () => {
    const { url } = server
    const backend = await opened({ url, schema: newSchema(url), poolOptions: { application_name: 'writer' } })
    const terminate = `SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE application_name = 'writer'`
    const acknowledged: string[] = []
    let unknown = 0
    // As many rounds as it takes to hit a write, which is a matter of luck.
    for (let round = 0; round < 15 || ((unknown === 0 || acknowledged.length === 0) && round < 500); round += 1) {
      const killing = sql(url, terminate)
      const writes = Array.from({ length: 200 }, async () => {
        const record = newRecord()
        try {
          if (await backend.create(record, call())) acknowledged.push(record.id)
        } catch (error) {
          const known = backend.classify(error)
          expect(known?.code).toBe('MCP_SESSION_UNAVAILABLE')
          if (known?.outcome === 'unknown') unknown += 1
        }
      })
      await Promise.all([killing, ...writes])
    }
    expect(acknowledged.length).toBeGreaterThan(0)
    for (const id of acknowledged) expect(await backend.get(id, call())).toBeDefined()
    // They were hit: a run in which all replies arrived would prove nothing.
    expect(unknown).toBeGreaterThan(0)
  }, 60_000)
})

async function increment(sessions: Sessions<Counter>, id: string): Promise<string> {
  await sessions.update(id, ({ counter }) => ({ counter: counter + 1 }))
  return 'incremented'
}

/** Asks until it is answered: an engine that was killed recovers first. */
async function until(ask: () => Promise<unknown>): Promise<void> {
  await expect
    .poll(
      () =>
        ask().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000, interval: 20 },
    )
    .toBe(true)
}
