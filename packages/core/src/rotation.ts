import type { Access } from './access.ts'
import type { Call, SessionRecord } from './backend.ts'
import { isWorthSendingAgain } from './calls.ts'
import type { Creation } from './creation.ts'
import { SessionError } from './errors.ts'
import { rotatedRev } from './ids.ts'
import { givenOwner } from './owner.ts'
import type { AccessOptions, Session } from './sessions.ts'
import { type StoreParts, successorOf } from './store-parts.ts'

export type RotateOptions = AccessOptions & { readonly newOwner?: string | null }

export interface Rotation<M> {
  rotate(id: string, options: RotateOptions): Promise<Session<M> | undefined>
}

/** How long a marker of a rotated session stands when its deletion fails. */
const markerTtlMs = 60_000

/**
 * (1) compare-and-set the old record to a marker that counts as not found, (2) create the new one, (3) delete the marker. A
 * crash after (1) loses the session and never doubles it. Its events stay behind and go with the marker.
 */
export function rotation<M>(parts: StoreParts<M>, { enter }: Access<M>, { insertMinted }: Creation<M>): Rotation<M> {
  const { options: settings, backend, calls, changes, snapshots, turns, mintRev, inBackground } = parts

  async function rotate(id: string, options: RotateOptions): Promise<Session<M> | undefined> {
    const newOwner = givenOwner(options, 'newOwner')
    const entry = enter(id, options)
    if (entry === undefined) return undefined
    return turns.inTurn(id, entry.call, async () => {
      // An abort between the steps would lose the session: from here on there is none.
      const { signal: _signal, ...call } = calls.again(entry.call)
      const marked = await changes.compareAndSet(id, call, { find: entry.visible, next: marker }, undefined)
      if (marked === undefined || marked.after === 'same') return undefined
      const owner = newOwner === undefined ? marked.before.owner : newOwner.owner
      const created = await insert(marked.before, marked.after, owner, call)
      const gone = marked.after
      inBackground(calls.writeAgain(call, () => backend.delete(id, gone.rev, call)))
      return snapshots.session(created)
    })
  }

  function marker(record: SessionRecord, call: Call): SessionRecord {
    snapshots.session(record)
    const marked = { ...record, ttlMs: Math.min(record.ttlMs, markerTtlMs) }
    return snapshots.record(successorOf(marked, call.now, rotatedRev(mintRev())), { context: '', metadata: '' })
  }

  async function insert(before: SessionRecord, marked: SessionRecord, owner: string | null, call: Call): Promise<SessionRecord> {
    try {
      return await insertMinted(call, (newId) => {
        const header = { ...successorOf(before, call.now, mintRev()), id: newId, owner, prevRev: null }
        return snapshots.record(header, snapshots.moved(before, header))
      })
    } catch (error) {
      // Certainly not created: give the session back rather than lose it, and take the time that this needs.
      if (SessionError.is(error) && error.outcome === 'none') {
        const back = putBack(before, marked, { now: call.now, deadlineAt: performance.now() + settings.callTimeoutMs })
        inBackground(back)
        await calls.wait(call, back).catch(() => {})
      }
      throw error
    }
  }

  async function putBack(before: SessionRecord, marked: SessionRecord, call: Call): Promise<void> {
    const header = { ...successorOf(before, before.lastAccessedAt, mintRev()), prevRev: marked.rev }
    const back = snapshots.record(header, snapshots.verified(before))
    for (let attempt = 0; ; attempt += 1) {
      try {
        await calls.writeAgain(call, () => backend.replace(back, marked.rev, call))
        return
      } catch (error) {
        if (!isWorthSendingAgain(error, call)) throw error
        await calls.backOff(call, attempt)
      }
    }
  }

  return { rotate }
}
