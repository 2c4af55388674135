import { createHash } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { type Call, decodeCursor, encodeCursor, type ListPage, type ListQuery } from '@mcp-session/core/backend'
import type { Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'
import { admit } from './lane.ts'
import type { OwnerIndex } from './owner-index.ts'
import { type Found, type Page, page } from './page.ts'
import { sendOnce } from './send.ts'
import { topology } from './topology.ts'
import type { Values } from './values.ts'

export interface Listing {
  /** One page of live records. A `TypeError` for a cursor that is not one of these listings. */
  list(query: ListQuery, call: Call): Promise<ListPage>
}

/** Where a listing of all sessions stands: with which servers, at which of them, and where `SCAN` goes on there. */
interface Position {
  readonly servers: string
  readonly at: number
  readonly scan: string
  /** Only where a page had to end within one bucket of the server's table: where `SCAN` would go on after it, and the last hash taken. */
  readonly next: string
  readonly hash: string
}

const allTag = 'redis'
const ownerTag = 'redis owner'
/** Keys that a page looks at, when few of them are wanted. */
const maxScanned = 20_000
const startOf = (servers: string): Position => ({ servers, at: 0, scan: '0', next: '', hash: '' })

export function listing(connection: Connection, keys: Keys, values: Values, owners: OwnerIndex): Listing {
  async function list(query: ListQuery, call: Call): Promise<ListPage> {
    const position = query.owner === undefined ? readPosition(query.cursor) : undefined
    const after = query.owner === undefined ? -1 : readHash(query.cursor)
    admit(call, 0)
    const filling = page(values, keys, query, call)
    const cursor =
      query.owner === undefined ? await fillFromAll(filling, query, position, call) : await fillFromOwner(filling, query.owner, after, call)
    return cursor === undefined ? { records: filling.records } : { records: filling.records, cursor }
  }

  /** In the order of the ids' hashes, which never changes: a cursor is the last hash. */
  async function fillFromOwner(filling: Page, owner: string, start: number, call: Call): Promise<string | undefined> {
    let after = start
    for (let scanned = 0; scanned < maxScanned && performance.now() < call.deadlineAt; ) {
      const wanted = Math.min(filling.room() + 1, 256)
      const indexed = await owners.page(owner, after, wanted, call)
      const found = await filling.look(indexed.map(({ id }) => id))
      const fitting = longestFitting(filling, found)
      await filling.take(fitting)
      const firstLeft = found[fitting.length]
      if (firstLeft !== undefined) {
        const index = indexed.findIndex(({ id }) => id === firstLeft.id)
        return encodeCursor(ownerTag, String(indexed[index - 1]?.hash ?? after))
      }
      if (indexed.length < wanted) return undefined
      after = indexed.at(-1)?.hash ?? after
      scanned += indexed.length
    }
    return encodeCursor(ownerTag, String(after))
  }

  async function fillFromAll(filling: Page, query: ListQuery, given: Position | undefined, call: Call): Promise<string | undefined> {
    const servers = await topology(connection, call)
    // A server that was restarted, or slots that moved: what its SCAN had said holds no more, and the listing starts over.
    let position = given?.servers === servers.mark ? given : startOf(servers.mark)
    for (let scanned = 0; ; ) {
      const server = servers.masters[position.at]
      if (server === undefined) return undefined
      const step = await fillFrom(server, filling, query, position, call)
      scanned += step.scanned
      position = step.position
      if (step.isFull || scanned >= maxScanned || performance.now() >= call.deadlineAt) {
        return position.at === servers.masters.length ? undefined : encodeCursor(allTag, JSON.stringify(Object.values(position)))
      }
    }
  }

  /**
   * One call of SCAN, all of whose keys are taken. It may give more than fit: then again, with less, down to a single bucket
   * of the server's table. Where even that is too much for an empty page, it is cut in the order of the ids' hashes.
   */
  async function fillFrom(
    server: Redis,
    filling: Page,
    query: ListQuery,
    position: Position,
    call: Call,
  ): Promise<{ readonly position: Position; readonly isFull: boolean; readonly scanned: number }> {
    const pattern = keys.pattern(query.prefix ?? '')
    for (let count = position.next === '' ? Math.min(1_000, Math.max(10, filling.room())) : 1; ; count = Math.floor(count / 4)) {
      const args = [position.scan, 'MATCH', pattern, 'COUNT', Math.max(1, count)]
      const [next, batch] = (await sendOnce(server, { name: 'scan', args, deadlineAt: call.deadlineAt })) as [string, string[]]
      const ids = [...new Set(batch)].flatMap((key) => keys.idOf(key) ?? [])
      // Another table by now: then its bucket is another one, and is taken from its beginning.
      const begun = position.next === next ? position.hash : ''
      const found = (await filling.look(ids)).filter(({ id }) => begun === '' || hashOf(id) > begun)
      if (filling.fits(found)) {
        await filling.take(found)
        return { position: after(position, next), isFull: filling.room() === 0, scanned: Math.max(count, batch.length) }
      }
      if (count > 1) continue
      if (!filling.isEmpty()) return { position, isFull: true, scanned: 1 }
      const ordered = [...found].sort((one, other) => (hashOf(one.id) < hashOf(other.id) ? -1 : 1))
      const fitting = longestFitting(filling, ordered)
      await filling.take(fitting)
      return { position: { ...position, next, hash: hashOf(fitting.at(-1)?.id ?? '') }, isFull: true, scanned: 1 }
    }
  }

  return { list }
}

function after(position: Position, next: string): Position {
  return { ...position, at: next === '0' ? position.at + 1 : position.at, scan: next, next: '', hash: '' }
}

function longestFitting(filling: Page, found: readonly Found[]): readonly Found[] {
  let length = Math.min(found.length, filling.room())
  while (length > 0 && !filling.fits(found.slice(0, length))) length -= 1
  return found.slice(0, length)
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 16)
}

function readPosition(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined
  const text = decodeCursor(allTag, cursor)
  const match = /^\["([\w-]{8})",(\d{1,5}),"(\d{1,20})","(\d{0,20})","([\w-]{0,16})"\]$/.exec(text)
  if (match === null) throw notOurs()
  const [, servers = '', at, scan = '', next = '', hash = ''] = match
  return { servers, at: Number(at), scan, next, hash }
}

function readHash(cursor: string | undefined): number {
  if (cursor === undefined) return -1
  const text = decodeCursor(ownerTag, cursor)
  if (!/^(-1|\d{1,15})$/.test(text)) throw notOurs()
  return Number(text)
}

function notOurs(): TypeError {
  return new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
}
