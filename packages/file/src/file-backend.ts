import { performance } from 'node:perf_hooks'
import {
  type BackendInfo,
  type Call,
  type EventLog,
  lifecycle,
  processSignals,
  running,
  type SessionBackend,
  SessionError,
} from '@mcp-session/core/backend'
import type { Disk } from './disk.ts'
import { classify } from './file-errors.ts'
import { listPage } from './listing.ts'
import { nodeDisk } from './node-disk.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { type FileBackendOptions, readOptions } from './options.ts'
import { defaultTuning, type Tuning } from './tuning.ts'

/**
 * A backend in a folder: one append-only log, for one process at a time. Writes that are pending together share one write and one
 * sync; reads never wait for them.
 * @throws TypeError or RangeError for bad options. `open` rejects with a SessionError that says what to do: `LOCKED` (another opener
 * has the folder), `CORRUPT` (damaged files), `SCHEMA` (a newer format), `LIMIT` (no room), `UNAVAILABLE` (folder, permissions, disk).
 */
export function fileBackend(options: FileBackendOptions): SessionBackend {
  return fileBackendOn(nodeDisk(), defaultTuning, options)
}

/** The same on another disk and with other sizes, for harnesses. */
export function fileBackendOn(disk: Disk, tuning: Tuning, options: FileBackendOptions): SessionBackend {
  const settings = readOptions(options)
  const durability = settings.durable ? 'host' : 'engine'
  const info: BackendInfo = Object.freeze({ name: 'file', contract: 1, sharing: 'process', durability, expiry: 'swept' })
  const signals = processSignals(admit)
  const reads = running()
  let store: OpenStore | undefined
  const life = lifecycle({
    async open() {
      store = await openStore(settings, disk, tuning)
    },
    async close() {
      const closing = store
      store = undefined
      signals.clear()
      await reads.idle()
      await closing?.close()
    },
  })

  function admit(call?: Call): OpenStore {
    if (store === undefined) throw notOpen()
    if (call?.signal?.aborted) throw call.signal.reason
    if (call !== undefined && call.deadlineAt <= performance.now()) throw tooLate()
    return store
  }

  /** `close` waits for it. */
  async function reading<T>(read: Promise<T>): Promise<T> {
    reads.enter()
    try {
      return await read
    } finally {
      reads.leave()
    }
  }

  const events: EventLog = {
    async append(sessionId, event, retention, call) {
      const { lane, events } = admit(call)
      return lane.run(sessionId, call, events.append(sessionId, event, retention, call.now))
    },
    async read(sessionId, query, call) {
      const { table, reading: reader } = admit(call)
      if (table.live(sessionId, call.now) === -1) return undefined
      const log = table.eventsOf(sessionId)
      if (log === undefined) return { events: [], last: 0, trimmed: query.after > 0 }
      const { events, last, trimmed } = log.select(query, call.now)
      return { events: await reading(reader.captureEvents(events)()), last, trimmed }
    },
    async restore(sessionId, page, call) {
      const { lane, events } = admit(call)
      return lane.run(sessionId, call, events.restore(sessionId, page, call.now))
    },
  }

  return {
    info,
    open: life.open,

    async create(record, call) {
      const { lane, records } = admit(call)
      return lane.run(record.id, call, records.create({ ...record }, call.now))
    },

    async get(id, call, known) {
      const { table, reading: reader } = admit(call)
      const row = table.live(id, call.now)
      if (row === -1) return undefined
      return reader.cached(row, known) ?? reading(reader.record(reader.capture(row), true))
    },

    async replace(record, expectedRev, call) {
      const { lane, records, reading: reader } = admit(call)
      const { replaced, lost } = await lane.run(record.id, call, records.replace({ ...record }, expectedRev, call.now))
      if (replaced) return { replaced: true }
      return { replaced: false, current: lost === undefined ? undefined : await reading(reader.record(lost, true)) }
    },

    async touch(touch, call) {
      const { lane, records } = admit(call)
      return lane.run(touch.id, call, records.touch({ ...touch }, call.now))
    },

    async delete(id, expectedRev, call) {
      const { lane, records } = admit(call)
      return lane.run(id, call, records.delete(id, expectedRev, call.now))
    },

    async list(query, call) {
      const { table, reading: reader } = admit(call)
      return reading(listPage(table, reader, query, call.now))
    },

    async deleteExpired(limit, call) {
      const { lane, records } = admit(call)
      let swept = 0
      for (let more = true; more && swept < limit; ) {
        const portion = Math.min(sweptPerFlush, limit - swept)
        const step = await lane.run(sweepKey, call, records.sweep(portion, call.now), 'sweep').catch((error: unknown) => {
          if (swept === 0) throw error
          return { deleted: 0, more: false }
        })
        swept += step.deleted
        more = step.more
      }
      return swept
    },

    async health(call) {
      return { warnings: admit(call).warnings() }
    },

    close: life.close,
    classify,
    events,
    signals: { publish: signals.publish, subscribe: signals.subscribe },
  }
}

/** No session id has it. */
const sweepKey = '\0sweep'
/** Sessions that one flush deletes: callers wait for no more than that. */
const sweptPerFlush = 512

function notOpen(): SessionError {
  return new SessionError('MCP_SESSION_CLOSED', 'file is not open: call open() first, and nothing after the last close()')
}

function tooLate(): SessionError {
  return new SessionError('MCP_SESSION_TIMEOUT', 'The deadline had passed before file was asked: nothing was done', { retryable: true })
}
