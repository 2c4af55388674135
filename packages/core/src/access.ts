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

  function retrieve(id: string, accessOptions: AccessOptions): Promise<Session<M> | undefined> {
    return find(id, accessOptions, (record, call) => {
      const session = snapshots.session(record)
      const touched = touches.afterRead(record, call)
      if (touched === record) return session
      return Object.freeze({ ...session, lastAccessedAt: touched.lastAccessedAt, expiresAt: touched.expiresAt })
    })
  }

  async function touch(id: string, accessOptions: AccessOptions): Promise<boolean> {
    const known = await touchKnown(id, accessOptions)
    if (known !== undefined) return known
    const touched = await find(id, accessOptions, (record, call) => {
      snapshots.verified(record)
      return touches.write(record, call)
    })
    // Whoever replaced it meanwhile has accessed it.
    return touched !== undefined
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

  /** With `then`, and what is found used at once: each `async` function on the way costs every read its promise and its frame. */
  function find<T>(
    id: string,
    accessOptions: AccessOptions,
    use: (record: SessionRecord, call: Call) => T | Promise<T>,
  ): Promise<T | undefined> {
    const entry = enter(id, accessOptions)
    const read = entry === undefined ? Promise.resolve(undefined) : calls.read(entry.call, () => backend.get(id, entry.call, entry.known))
    return read.then((stored) => {
      if (stored === undefined) snapshots.forget(id)
      const record = entry?.visible(stored, entry.call)
      meter.add(record === undefined ? 'misses' : 'hits')
      return entry && record && use(record, entry.call)
    })
  }

  return { enter, retrieve, touch }
}
