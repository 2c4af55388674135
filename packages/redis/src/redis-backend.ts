import {
  type BackendInfo,
  type Call,
  type EventLog,
  lifecycle,
  running,
  type SessionBackend,
  SessionError,
  type SignalBus,
} from '@mcp-session/core/backend'
import { healthOf } from './health.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { type RedisBackendOptions, readOptions } from './options.ts'
import { classify } from './redis-errors.ts'
import { underWay } from './under-way.ts'

/**
 * A backend in Redis 6.2 or later, or Valkey: one server, Sentinel, or a cluster. Every method is one script on one slot, and calls that
 * are pending together travel together. No command is sent after its deadline, or a second time.
 * @throws TypeError or RangeError for bad options. `open` rejects with a SessionError that says what to do: `UNAVAILABLE` (no
 * answer, a wrong password, too old, a node of a cluster).
 */
export function redisBackend(options: RedisBackendOptions): SessionBackend {
  const settings = readOptions(options)
  let info: BackendInfo = { name: 'redis', contract: 1, sharing: 'cluster', durability: 'caller', expiry: 'engine' }
  let store: OpenStore | undefined
  const calls = running()
  const life = lifecycle({
    async open() {
      store = await openStore(settings)
      info = store.info
    },
    async close() {
      const closing = store
      store = undefined
      await calls.idle()
      await closing?.close()
    },
  })

  /** What a call consists of may be several steps: `close` waits for the call. */
  function on<T>(call: Call | undefined, step: (opened: OpenStore) => Promise<T>): Promise<T> {
    return store === undefined ? Promise.reject(closed()) : underWay(calls, at(call, step))
  }

  /** A call of one step: the store waits for it by itself. */
  function at<T>(call: Call | undefined, step: (opened: OpenStore) => Promise<T>): Promise<T> {
    const opened = store
    if (opened === undefined) return Promise.reject(closed())
    const held = call && opened.connection.gate.pass(call)
    // One that is held has not begun.
    return held === undefined ? step(opened) : underWay(calls, held).then(() => step(opened))
  }

  const events: EventLog = {
    append: (sessionId, event, retention, call) => on(call, ({ events }) => events.append(sessionId, event, retention, call)),
    read: (sessionId, query, call) => on(call, ({ events }) => events.read(sessionId, query, call)),
    restore: (sessionId, page, call) => on(call, ({ events }) => events.restore(sessionId, page, call)),
  }

  const signals: SignalBus = {
    publish: (channel, message, call) => on(call, ({ signals }) => signals.publish(channel, message, call)),
    subscribe: (channel, listener) => on(undefined, ({ signals }) => signals.subscribe(channel, listener)),
  }

  return {
    get info() {
      return info
    },
    open: life.open,
    create: (record, call) => on(call, ({ records }) => records.create(record, call)),
    get: (id, call, known) => at(call, ({ records }) => records.get(id, call, known)),
    replace: (record, expectedRev, call) => on(call, ({ records }) => records.replace(record, expectedRev, call)),
    touch: (touch, call) => on(call, ({ records }) => records.touch(touch, call)),
    delete: (id, expectedRev, call) => on(call, ({ records }) => records.delete(id, expectedRev, call)),
    list: (query, call) => on(call, ({ listing }) => listing.list(query, call)),
    deleteExpired: (limit, call) => on(call, ({ records }) => records.deleteExpired(limit, call)),
    health: (call) => on(call, ({ connection }) => healthOf(connection, call)),
    close: life.close,
    classify,
    events,
    signals,
  }
}

function closed(): SessionError {
  return new SessionError('MCP_SESSION_CLOSED', 'redis is not open: call open() first, and nothing after the last close()')
}
