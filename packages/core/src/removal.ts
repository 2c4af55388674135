import type { Access, Entry } from './access.ts'
import { checkString } from './arguments.ts'
import type { ListPage, ListQuery, SessionRecord } from './backend.ts'
import { SessionError } from './errors.ts'
import { isRotated } from './ids.ts'
import { checkOwner } from './owner.ts'
import type { AccessOptions, AccessSignal, Session } from './sessions.ts'
import type { StoreParts } from './store-parts.ts'

/** The methods that end sessions. */
export interface Removal<M> {
  remove(id: string, options: AccessOptions): Promise<boolean>
  consume(id: string, options: AccessOptions): Promise<Session<M> | undefined>
  deleteByOwner(owner: string, options: AccessSignal): Promise<number>
}

/** Deletions in flight at most. */
const mostAtOnce = 64

export function removal<M>(parts: StoreParts<M>, { enter }: Access<M>): Removal<M> {
  const { options, backend, calls, meter, snapshots } = parts
  const pageSize = Math.min(mostAtOnce, Math.ceil(options.maxInFlight / 2))

  async function remove(id: string, accessOptions: AccessOptions): Promise<boolean> {
    const entry = enter(id, accessOptions)
    if (entry === undefined) return false
    const { call } = entry
    const deleted =
      accessOptions.owner === undefined
        ? (await calls.writeAgain(call, () => backend.delete(id, undefined, call))).value
        : (await takeOut(id, entry, false, snapshots.verified)) !== undefined
    snapshots.forget(id)
    if (deleted) meter.add('deleted')
    return deleted
  }

  async function consume(id: string, accessOptions: AccessOptions): Promise<Session<M> | undefined> {
    const entry = enter(id, accessOptions)
    const taken = entry && (await takeOut(id, entry, true, snapshots.session))
    meter.add(taken === undefined ? 'misses' : 'hits')
    snapshots.forget(id)
    if (taken !== undefined) meter.add('deleted')
    return taken
  }

  /** Reads and deletes just what was read, until nobody changes it in between. `decisive`: it matters who deleted it. */
  async function takeOut<T>(id: string, entry: Entry, decisive: boolean, open: (record: SessionRecord) => T): Promise<T | undefined> {
    for (let lost = 0; ; lost += 1) {
      const call = calls.again(entry.call)
      const record = entry.visible(await calls.read(call, () => backend.get(id, call)), call)
      if (record === undefined) return undefined
      const opened = open(record)
      const { value, resent } = await calls.writeAgain(call, () => backend.delete(id, record.rev, call))
      if (value) return opened
      // Our own first attempt may have deleted it, or somebody else: absence does not name the winner.
      if (resent && decisive) throw lostReply(backend.info.name)
      if (lost > 0) await calls.backOff(call, lost, 1)
    }
  }

  async function deleteByOwner(owner: string, { signal }: AccessSignal): Promise<number> {
    checkString(checkOwner(owner), 'owner')
    let deleted = 0
    let cursor: string | undefined
    do {
      const call = calls.begin(signal)
      const query: ListQuery = {
        limit: pageSize,
        owner,
        prefix: `${options.kind}_`,
        data: false,
        ...(cursor !== undefined && { cursor }),
      }
      const page: ListPage = await calls.read(call, () => backend.list(query, call))
      const ended = await Promise.all(page.records.map((record) => removeListed(record, owner, signal)))
      deleted += ended.filter(Boolean).length
      cursor = page.cursor
    } while (cursor !== undefined)
    return deleted
  }

  /** As it was listed, damaged or not; if it has changed since, whatever that owner has under the id. */
  async function removeListed(record: SessionRecord, owner: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (isRotated(record)) return false
    const call = calls.begin(signal)
    const { value } = await calls.writeAgain(call, () => backend.delete(record.id, record.rev, call))
    if (!value) return remove(record.id, { owner, signal })
    snapshots.forget(record.id)
    meter.add('deleted')
    return true
  }

  return { remove, consume, deleteByOwner }
}

function lostReply(name: string): SessionError {
  return new SessionError(
    'MCP_SESSION_UNAVAILABLE',
    `The reply of ${name} to the deletion got lost: this caller or another one consumed the session`,
    {
      outcome: 'unknown',
    },
  )
}
