import { type BackendInfo, type EventLog, lifecycle, type SessionBackend, SessionError, type SignalBus } from '@mcp-session/core/backend'
import { healthOf } from './health.ts'
import { listPage } from './listing.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { type PostgresBackendOptions, readOptions } from './options.ts'
import { classify } from './postgres-errors.ts'
import { sweep } from './sweep.ts'

/**
 * A backend in a schema of PostgreSQL 12 or later, through pg, for any number of nodes. Calls that are pending together are one
 * statement, which is one transaction; each is judged by itself. Poolers in transaction mode may be in between.
 * @throws TypeError for bad options. `open` rejects with a SessionError that says what to do: `UNAVAILABLE` (not reached within 5 s,
 * refused, wrong settings), `SCHEMA` (newer tables, or somebody else's).
 */
export function postgresBackend(options: PostgresBackendOptions): SessionBackend {
  const settings = readOptions(options)
  let info: BackendInfo = { name: 'postgres', contract: 1, sharing: 'cluster', durability: 'caller', expiry: 'swept' }
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

  function admit(): OpenStore {
    if (store !== undefined) return store
    throw notOpen()
  }

  // The most frequent calls have one promise less than by an async function around `admit`.
  const closed = (): Promise<never> => Promise.reject(notOpen())

  const events: EventLog = {
    append: async (sessionId, event, retention, call) => admit().events.append(sessionId, event, retention, call),
    read: async (sessionId, query, call) => admit().events.read(sessionId, query, call),
    restore: async (sessionId, page, call) => admit().events.restore(sessionId, page, call),
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
    create: (record, call) => store?.writes.create(record, call) ?? closed(),
    get: (id, call, known) => store?.reads.get(id, call, known) ?? closed(),
    replace: (record, expectedRev, call) => store?.writes.replace(record, expectedRev, call) ?? closed(),
    touch: (touch, call) => store?.writes.touch(touch, call) ?? closed(),
    delete: (id, expectedRev, call) => store?.writes.delete(id, expectedRev, call) ?? closed(),
    async list(query, call) {
      const { inTurn, wire, statements } = admit()
      return inTurn(call, () => listPage(wire, statements, query, call))
    },
    async deleteExpired(limit, call) {
      const { inTurn, wire, statements } = admit()
      return inTurn(call, () => sweep(wire, statements, limit, call))
    },
    async health(call) {
      const { inTurn, wire, names, signals } = admit()
      return inTurn(call, () => healthOf(wire, names, signals.isHeard(), call))
    },
    close: life.close,
    classify,
    events,
    signals,
  }
}

function notOpen(): SessionError {
  return new SessionError('MCP_SESSION_CLOSED', 'postgres is not open: call open() first, and nothing after the last close()')
}
