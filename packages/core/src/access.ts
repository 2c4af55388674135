import type { Call, SessionRecord } from './backend.ts'
import { isExpired } from './expiry.ts'
import { isIdOfKind, isRotated } from './ids.ts'
import { givenOwner, isSameOwner } from './owner.ts'
import { corrupt } from './seal.ts'
import type { AccessOptions, Session } from './sessions.ts'
import type { StoreParts } from './store-parts.ts'

/** Who may see what, and the two methods that only look. */
export interface Access<M> {
  /** What a method does first with an id from outside: `undefined` means "not found", and the engine is not asked. */
  enter(id: string, options: AccessOptions): Entry | undefined
  retrieve(id: string, options: AccessOptions): Promise<Session<M> | undefined>
  touch(id: string, options: AccessOptions): Promise<boolean>
}

export interface Entry {
  readonly call: Call
  /** As it was seen last, while that is kept; it was visible to somebody then. */
  readonly known: SessionRecord | undefined
  /** The record if it is live, belongs here and to that owner. `CORRUPT` if it is damaged. */
  visible(record: SessionRecord | undefined, call: Call): SessionRecord | undefined
}

export function access<M>(parts: StoreParts<M>): Access<M> {
  const { options, backend, calls, meter, snapshots, touches } = parts

  function enter(id: string, accessOptions: AccessOptions): Entry | undefined {
    const asked = givenOwner(accessOptions)
    const call = calls.begin(accessOptions.signal)
    const known = snapshots.lastSeen(id)
    if (known === undefined && !isIdOfKind(options.kind, id)) return undefined
    return { call, known, visible: (record, at) => visible(record, id, known, asked, at) }
  }

  function visible(
    record: SessionRecord | undefined,
    id: string,
    known: SessionRecord | undefined,
    asked: { readonly owner: string | null } | undefined,
    call: Call,
  ): SessionRecord | undefined {
    if (record === undefined || isExpired(record, call.now)) return undefined
    if (record !== known) {
      if (isRotated(record)) return undefined
      if (record.id !== id) throw corrupt(id, backend.info.name)
    }
    if (asked === undefined || isSameOwner(record.owner, asked.owner)) return record
    // A damaged owner must not look like somebody else's session to the one who owns it.
    snapshots.verified(record)
    return undefined
  }

  async function retrieve(id: string, accessOptions: AccessOptions): Promise<Session<M> | undefined> {
    const found = await find(id, accessOptions)
    if (found === undefined) return undefined
    const session = snapshots.session(found.record)
    const touched = touches.afterRead(found.record, found.call)
    if (touched === found.record) return session
    return Object.freeze({ ...session, lastAccessedAt: touched.lastAccessedAt, expiresAt: touched.expiresAt })
  }

  async function touch(id: string, accessOptions: AccessOptions): Promise<boolean> {
    const known = await touchKnown(id, accessOptions)
    if (known !== undefined) return known
    const found = await find(id, accessOptions)
    if (found === undefined) return false
    snapshots.verified(found.record)
    // Whoever replaced it meanwhile has accessed it.
    return (await touches.write(found.record, found.call)) !== undefined
  }

  /** Without a read, by what was seen last. `undefined`: that does not tell, since nothing was seen, or others have changed it. */
  async function touchKnown(id: string, accessOptions: AccessOptions): Promise<boolean | undefined> {
    const entry = enter(id, accessOptions)
    const seen = entry?.visible(entry.known, entry.call)
    if (entry === undefined || seen === undefined) return undefined
    const touched = await touches.write(seen, entry.call)
    if (touched === 'moved') return undefined
    if (touched === undefined) snapshots.forget(id)
    meter.add(touched === undefined ? 'misses' : 'hits')
    return touched !== undefined
  }

  async function find(id: string, accessOptions: AccessOptions): Promise<{ record: SessionRecord; call: Call } | undefined> {
    const entry = enter(id, accessOptions)
    const stored = entry && (await calls.read(entry.call, () => backend.get(id, entry.call, entry.known)))
    if (stored === undefined) snapshots.forget(id)
    const record = entry?.visible(stored, entry.call)
    meter.add(record === undefined ? 'misses' : 'hits')
    return entry && record && { record, call: entry.call }
  }

  return { enter, retrieve, touch }
}
