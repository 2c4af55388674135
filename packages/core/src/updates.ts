import type { Access } from './access.ts'
import { checkDurationMs, checkFunction } from './arguments.ts'
import type { Call, SessionRecord } from './backend.ts'
import type { Change, Changed } from './changes.ts'
import type { AccessOptions, Session } from './sessions.ts'
import { type StoreParts, successorOf } from './store-parts.ts'

/** The methods that change a session in place. */
export interface Updates<M> {
  /** Throws at once, not by its promise, when it is called from within an update of the same id. */
  update(id: string, fn: (metadata: M) => M, options: AccessOptions): () => Promise<Session<M> | undefined>
  updateContext(id: string, fn: (context: unknown) => unknown, options: AccessOptions): () => Promise<Session<M> | undefined>
  setTtl(id: string, ttlMs: number, options: AccessOptions): Promise<boolean>
}

export function updates<M>(parts: StoreParts<M>, { enter }: Access<M>): Updates<M> {
  const { calls, changes, meter, snapshots, touches, turns, mintRev } = parts
  /** Ids whose fn is running at this moment, innermost last: fn is synchronous, so this is never more than a nesting. */
  const running: string[] = []

  function update(id: string, fn: (metadata: M) => M, options: AccessOptions) {
    refuseNested(id)
    return () => rewrite(id, options, 'metadata', fn, (metadata) => fn(metadata as M))
  }

  function updateContext(id: string, fn: (context: unknown) => unknown, options: AccessOptions) {
    refuseNested(id)
    return () => rewrite(id, options, 'context', fn, fn)
  }

  function refuseNested(id: string): void {
    if (running.includes(id)) throw new TypeError('fn must not update the session that it is updating: return the new value instead')
  }

  async function rewrite(
    id: string,
    options: AccessOptions,
    part: 'metadata' | 'context',
    fn: unknown,
    apply: (before: unknown) => unknown,
  ): Promise<Session<M> | undefined> {
    checkFunction(fn, 'fn')
    const stored = await change(id, options, (record, call) => {
      const before = snapshots.value(record, part)
      const value = run(id, () => apply(before))
      if (part === 'metadata' && value === undefined) throw new TypeError('fn must return the new metadata, got undefined')
      const texts = snapshots.changed(record, part, value)
      if (texts === undefined) return 'same'
      return snapshots.record(successorOf(record, call.now, mintRev()), texts)
    })
    meter.add(stored === undefined ? 'misses' : 'hits')
    return stored === undefined ? undefined : snapshots.session(stored)
  }

  function run(id: string, fn: () => unknown): unknown {
    running.push(id)
    try {
      const value = fn()
      if (!isThenable(value)) return value
      value.then(undefined, () => {})
      throw new TypeError('fn must be synchronous: it returned a promise. Do the waiting before update')
    } finally {
      running.pop()
    }
  }

  async function setTtl(id: string, ttlMs: number, options: AccessOptions): Promise<boolean> {
    checkDurationMs(ttlMs, 'ttlMs')
    const stored = await change(id, options, (record, call) => {
      const texts = snapshots.verified(record)
      if (record.ttlMs === ttlMs) return 'same'
      // Counted from now, also where the clock went back since the last access: a ttl of 0 ends the session at once.
      const lastAccessedAt = Math.max(record.createdAt, call.now)
      return snapshots.record(successorOf({ ...record, ttlMs, lastAccessedAt }, call.now, mintRev()), texts)
    })
    return stored !== undefined
  }

  /** The record after the change; of a change that changes nothing, after a touch. */
  async function change(id: string, options: AccessOptions, next: Change['next']): Promise<SessionRecord | undefined> {
    const entry = enter(id, options)
    if (entry === undefined) return undefined
    return turns.inTurn(id, entry.call, () => {
      const call = calls.again(entry.call)
      const changing = changes.compareAndSet(id, call, { find: entry.visible, next }, snapshots.lastSeen(id))
      return changing.then((changed) => recordAfter(changed, call))
    })
  }

  function recordAfter(changed: Changed | undefined, call: Call): Promise<SessionRecord | undefined> | SessionRecord | undefined {
    if (changed === undefined) return undefined
    if (changed.after === 'same') return access(changed.before, call)
    meter.add('updated')
    return changed.after
  }

  async function access(record: SessionRecord, call: Call): Promise<SessionRecord | undefined> {
    const touched = await touches.write(record, call)
    return touched === 'moved' ? record : touched
  }

  return { update, updateContext, setTtl }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof Object(value).then === 'function'
}
