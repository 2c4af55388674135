import {
  type BackendInfo,
  type Call,
  type EventLog,
  lifecycle,
  type SessionBackend,
  SessionError,
  type SignalBus,
} from '@mcp-session/core/backend'
import { warningsOf } from './health.ts'
import { listPage } from './listing.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { readOptions, type SqliteBackendOptions } from './options.ts'
import { classify } from './sqlite-errors.ts'

/**
 * A backend in one SQLite file, through better-sqlite3. Writes that are pending together share one transaction; a lock that another
 * process holds is awaited until the call's deadline without stopping the event loop.
 * @throws TypeError or RangeError for bad options. `open` rejects with a SessionError that says what to do: `UNAVAILABLE`
 * (folder, permissions, disk), `CORRUPT` (no database, or a damaged one), `SCHEMA` (newer tables), `LOCKED` (for over 5 s).
 */
export function sqliteBackend(options: SqliteBackendOptions): SessionBackend {
  const settings = readOptions(options)
  let info: BackendInfo = { name: 'sqlite', contract: 1, sharing: 'host', durability: 'engine', expiry: 'swept' }
  let store: OpenStore | undefined
  const life = lifecycle({
    async open() {
      store = await openStore(settings)
      info = store.info
    },
    async close() {
      const closing = store
      store = undefined
      await closing?.close()
    },
  })

  async function write<T>(call: Call, step: (opened: OpenStore) => T): Promise<T> {
    const opened = admit()
    return opened.lane.run(call, () => step(opened))
  }

  async function writeWithReserve<T>(call: Call, step: (opened: OpenStore) => T): Promise<T> {
    const opened = admit()
    return opened.lane.runWithReserve(call, () => step(opened))
  }

  async function read<T>(call: Call, step: (opened: OpenStore) => T): Promise<T> {
    const opened = admit()
    return opened.connection.persist(call, () => step(opened))
  }

  function admit(): OpenStore {
    if (store !== undefined) return store
    throw new SessionError('MCP_SESSION_CLOSED', 'sqlite is not open: call open() first, and nothing after the last close()')
  }

  const events: EventLog = {
    append: (sessionId, event, retention, call) => write(call, ({ events }) => events.append(sessionId, event, retention, call.now)),
    read: (sessionId, query, call) =>
      read(call, ({ connection, events }) => connection.snapshot(() => events.read(sessionId, query, call.now))),
    restore: (sessionId, page, call) => write(call, ({ events }) => events.restore(sessionId, page, call.now)),
  }

  const signals: SignalBus = {
    publish: async (channel, message, call) => admit().signals.publish(channel, message, call),
    subscribe: async (channel, listener) => admit().signals.subscribe(channel, listener),
  }

  return {
    get info() {
      return info
    },
    open: life.open,
    create: (record, call) => write(call, ({ records }) => records.create(record, call.now)),
    get: (id, call, known) => read(call, ({ records }) => records.get(id, call.now, known)),
    replace: (record, expectedRev, call) => write(call, ({ records }) => records.replace(record, expectedRev, call.now)),
    touch: (touch, call) => write(call, ({ records }) => records.touch(touch, call.now)),
    delete: (id, expectedRev, call) => writeWithReserve(call, ({ records }) => records.delete(id, expectedRev, call.now)),
    list: (query, call) => read(call, ({ statements }) => listPage(statements, query, call.now)),
    deleteExpired: (limit, call) => writeWithReserve(call, ({ records }) => records.deleteExpired(limit, call.now)),
    async health(call) {
      const { database, journalMode } = await read(call, ({ connection, statements, journalMode }) => {
        statements.version.get()
        return { database: connection.database, journalMode }
      })
      return { warnings: await warningsOf(database, journalMode) }
    },
    close: life.close,
    classify,
    events,
    signals,
  }
}
