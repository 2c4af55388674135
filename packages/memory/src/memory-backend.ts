import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type BackendInfo,
  type Call,
  isExpired,
  knownAt,
  lifecycle,
  processSignals,
  type SessionBackend,
  SessionError,
} from '@mcp-session/core/backend'
import { capacity } from './capacity.ts'
import { recordOf } from './entry.ts'
import { eventLog } from './event-log.ts'
import { listPage } from './listing.ts'
import { type MemoryBackendOptions, readOptions } from './options.ts'
import { recordTable } from './records.ts'

const info: BackendInfo = Object.freeze({ name: 'memory', contract: 1, sharing: 'process', durability: 'none', expiry: 'swept' })

/** Entries that a sweep looks at before it lets the event loop turn: about 1 ms. */
const visitsPerTurn = 4_096

/**
 * A backend in the memory of this process: the reference implementation. Every method runs in one turn of the event loop, so
 * it is atomic; `deleteExpired` may take several, each atomic. The last `close` drops all records, events and subscriptions.
 * @throws TypeError or RangeError for bad options. `create` rejects with `MCP_SESSION_LIMIT` when `whenFull` is `refuse`.
 */
export function memoryBackend(options: MemoryBackendOptions = {}): SessionBackend {
  const settings = readOptions(options)
  const records = recordTable({ trackIdle: settings.whenFull === 'evict' && settings.maxSessions !== Number.POSITIVE_INFINITY })
  const room = capacity(settings, records)
  const signals = processSignals(admit)
  const life = lifecycle({
    open: async () => {},
    close: async () => {
      records.clear()
      signals.clear()
    },
  })

  function admit(call?: Call): void {
    if (!life.isOpen()) throw notOpen()
    if (call === undefined) return
    if (call.signal?.aborted) throw call.signal.reason
    if (call.deadlineAt <= performance.now()) throw tooLate()
  }

  return {
    info,
    open: life.open,

    async create(record, call) {
      admit(call)
      const known = records.find(record.id)
      if (known !== undefined && !isExpired(known, call.now)) return false
      if (known !== undefined) records.remove(known)
      else room.makeRoom(call.now)
      records.insert(record, call.now)
      return true
    },

    async get(id, call, known) {
      admit(call)
      const entry = records.live(id, call.now)
      if (entry === undefined) return undefined
      // Equal revs are equal content: a copy that the caller has already need not be made.
      return known?.rev === entry.rev ? knownAt(known, entry.lastAccessedAt, entry.expiresAt) : recordOf(entry)
    },

    async replace(record, expectedRev, call) {
      admit(call)
      const entry = records.live(record.id, call.now)
      if (entry === undefined) return { replaced: false, current: undefined }
      if (entry.rev !== expectedRev) return { replaced: false, current: recordOf(entry) }
      records.rewrite(entry, record, call.now)
      return { replaced: true }
    },

    async touch(touch, call) {
      admit(call)
      const entry = records.live(touch.id, call.now)
      if (entry === undefined) return 'missing'
      if (entry.rev !== touch.rev) return 'moved'
      records.touch(entry, touch)
      return 'touched'
    },

    async delete(id, expectedRev, call) {
      admit(call)
      const entry = records.live(id, call.now)
      if (entry === undefined || (expectedRev !== undefined && entry.rev !== expectedRev)) return false
      records.remove(entry)
      return true
    },

    async list(query, call) {
      admit(call)
      return listPage(records, query, call.now)
    },

    async deleteExpired(limit, call) {
      admit(call)
      let deleted = 0
      for (;;) {
        const { removed, more } = records.removeExpired(call.now, limit - deleted, visitsPerTurn)
        deleted += removed
        if (!more) return deleted
        await nextTurn()
      }
    },

    async health(call) {
      admit(call)
      return { warnings: room.warnings() }
    },

    close: life.close,
    classify: () => undefined,
    evicted: room.evicted,
    events: eventLog(records, admit),
    signals: { publish: signals.publish, subscribe: signals.subscribe },
  }
}

function notOpen(): SessionError {
  return new SessionError('MCP_SESSION_CLOSED', 'memory is not open: call open() first, and nothing after the last close()')
}

function tooLate(): SessionError {
  return new SessionError('MCP_SESSION_TIMEOUT', 'The deadline had passed before memory was asked: nothing was done', { retryable: true })
}
