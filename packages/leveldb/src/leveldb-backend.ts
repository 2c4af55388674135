import { performance } from 'node:perf_hooks'
import {
  type BackendInfo,
  type Call,
  type EventLog,
  lifecycle,
  processSignals,
  type SessionBackend,
  SessionError,
} from '@mcp-session/core/backend'
import { type LevelDatabase, utf8 } from './driver.ts'
import { readEvents } from './event-pages.ts'
import { eventSteps } from './event-steps.ts'
import { warningsOf } from './health.ts'
import { schemaKey } from './keys.ts'
import { classify } from './level-errors.ts'
import { listPage } from './listing.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { type LeveldbBackendOptions, readOptions } from './options.ts'
import { getRecord, recordSteps } from './records.ts'
import type { StagedWrites } from './staged-writes.ts'
import { sweepStep } from './sweep.ts'

/** What a call writes beside its data, about. */
const callBytes = 512

/**
 * A backend in a LevelDB folder, for one process, through classic-level. Writes that are pending together share one batch and one sync.
 * @throws TypeError or RangeError for bad options. `open` rejects with a SessionError that says what to do: `LOCKED` (with the
 * holder's pid), `UNAVAILABLE` (folder, permissions), `LIMIT` (a full disk), `CORRUPT`, `SCHEMA` (a newer layout, or not ours).
 */
export function leveldbBackend(options: LeveldbBackendOptions): SessionBackend {
  const settings = readOptions(options)
  let info: BackendInfo = { name: 'leveldb', contract: 1, sharing: 'process', durability: 'engine', expiry: 'swept' }
  let store: OpenStore | undefined
  const signals = processSignals((call) => void admit(call))
  const life = lifecycle({
    async open() {
      store = await openStore(settings)
      info = store.info
    },
    async close() {
      const closing = store
      store = undefined
      signals.clear()
      await closing?.close()
    },
  })

  function admit(call?: Call): OpenStore {
    if (store === undefined) throw notOpen()
    if (call?.signal?.aborted) throw call.signal.reason
    if (call !== undefined && call.deadlineAt <= performance.now()) throw tooLate()
    return store
  }

  async function write<T>(call: Call, data: string, step: (staged: StagedWrites) => Promise<T>): Promise<T> {
    return admit(call).lane.run(call, Buffer.byteLength(data) + callBytes, step)
  }

  async function read<T>(call: Call, step: (database: LevelDatabase) => Promise<T>): Promise<T> {
    return admit(call).read(step)
  }

  async function deleteExpired(limit: number, call: Call): Promise<number> {
    let deleted = 0
    for (;;) {
      const step = await write(call, '', (staged) => sweepStep(staged, limit - deleted, call.now))
      deleted += step.deleted
      if (step.finished || deleted >= limit || call.deadlineAt <= performance.now()) return deleted
    }
  }

  const events: EventLog = {
    append: (sessionId, event, retention, call) =>
      write(call, event.data, (staged) => eventSteps.append(staged, sessionId, event, retention, call.now)),
    read: (sessionId, query, call) => read(call, (database) => readEvents(database, sessionId, query, call.now)),
    restore: (sessionId, page, call) => write(call, '', (staged) => eventSteps.restore(staged, sessionId, page, call.now)),
  }

  return {
    get info() {
      return info
    },
    open: life.open,
    create: (record, call) => write(call, record.data, (staged) => recordSteps.create(staged, record, call.now)),
    async get(id, call, known) {
      const { engine } = admit(call)
      const database = engine.readable()
      return getRecord(database instanceof Promise ? await database : database, engine.cache, id, call.now, known)
    },
    replace: (record, expectedRev, call) =>
      write(call, record.data, (staged) => recordSteps.replace(staged, record, expectedRev, call.now)),
    touch: (touch, call) => write(call, '', (staged) => recordSteps.touch(staged, touch, call.now)),
    delete: (id, expectedRev, call) => write(call, '', (staged) => recordSteps.delete(staged, id, expectedRev, call.now)),
    list: (query, call) => read(call, (database) => listPage(database, query, call.now)),
    deleteExpired,
    async health(call) {
      const { engine } = admit(call)
      await read(call, async (database) => database.getSync(schemaKey, utf8))
      return { warnings: warningsOf(engine.failure()) }
    },
    close: life.close,
    classify,
    events,
    signals: { publish: signals.publish, subscribe: signals.subscribe },
  }
}

function notOpen(): SessionError {
  return new SessionError('MCP_SESSION_CLOSED', 'leveldb is not open: call open() first, and nothing after the last close()')
}

function tooLate(): SessionError {
  return new SessionError('MCP_SESSION_TIMEOUT', 'The deadline had passed before leveldb was asked: nothing was done', { retryable: true })
}
