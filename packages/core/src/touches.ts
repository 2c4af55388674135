import type { Call, SessionBackend, SessionRecord, Touch } from './backend.ts'
import type { Calls } from './calls.ts'
import { expiryOf } from './expiry.ts'
import type { Meter } from './meter.ts'

/** Writes accesses: at most one pending per id, at most one per touch interval, never in the way of a reader. */
export interface Touches {
  /** The record as this access leaves it; writes in the background what the interval lets through. */
  afterRead(record: SessionRecord, call: Call): SessionRecord
  /** Writes the access now. `undefined`: no such record is live any more; `moved`: another rev is. */
  write(record: SessionRecord, call: Call): Promise<SessionRecord | 'moved' | undefined>
  /** Resolves when no touch is pending. */
  drain(): Promise<void>
}

export interface TouchesOptions {
  readonly backend: SessionBackend
  readonly calls: Calls
  readonly meter: Meter
  /** `undefined`: max(1, min(ttlMs / 20, 60,000)). */
  readonly touchIntervalMs: number | undefined
  readonly report: (error: unknown) => void
}

export function touches(options: TouchesOptions): Touches {
  const { backend, calls, meter, report } = options
  const pending = new Map<string, Promise<void>>()

  function afterRead(record: SessionRecord, call: Call): SessionRecord {
    const interval = options.touchIntervalMs ?? Math.max(1, Math.min(record.ttlMs / 20, 60_000))
    if (call.now - record.lastAccessedAt < interval || pending.has(record.id)) {
      meter.add('touchesSkipped')
      return record
    }
    const touched = accessed(record, call.now)
    // The reader's abort is not the access's.
    pending.set(record.id, inBackground(touched, { now: call.now, deadlineAt: call.deadlineAt }))
    return touched
  }

  async function inBackground(touched: SessionRecord, call: Call): Promise<void> {
    try {
      await calls.writeAgain(call, () => backend.touch(touchOf(touched), call))
      meter.add('touches')
    } catch (error) {
      report(error)
    } finally {
      pending.delete(touched.id)
    }
  }

  async function write(record: SessionRecord, call: Call): Promise<SessionRecord | 'moved' | undefined> {
    const touched = accessed(record, call.now)
    const { value } = await calls.writeAgain(call, () => backend.touch(touchOf(touched), call))
    if (value === 'missing') return undefined
    if (value === 'moved') return 'moved'
    meter.add('touches')
    return touched
  }

  async function drain(): Promise<void> {
    await Promise.all(pending.values())
  }

  return { afterRead, write, drain }
}

/** A record after an access at `now`; an access never moves it back. */
function accessed(record: SessionRecord, now: number): SessionRecord {
  const lastAccessedAt = Math.max(record.lastAccessedAt, now)
  return { ...record, lastAccessedAt, expiresAt: expiryOf(lastAccessedAt, record.ttlMs, record.mustEndAt) }
}

function touchOf({ id, rev, lastAccessedAt, expiresAt }: SessionRecord): Touch {
  return { id, rev, lastAccessedAt, expiresAt }
}
