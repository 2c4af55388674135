import { decodeCursor, encodeCursor, isExpired, type ListPage, type ListQuery, type SessionRecord } from '@mcp-session/core/backend'
import { type LevelDatabase, type LevelEncodings, utf8 } from './driver.ts'
import { damagedRecord, type Head, matches, parseHead, withData } from './head.ts'
import { after, dataKey, headKey, ownerKey } from './keys.ts'

const cursorTag = 'leveldb'
const maxPageBytes = 4 * 1024 * 1024
/** Dead sessions that a page steps over at most. Then it ends, perhaps empty, with a cursor. */
const maxDead = 2_000
const idsPerRead = 256

interface Listed {
  readonly id: string
  readonly value: string | undefined
}

/** One page of live records in the order of their ids, all of one state of the store. A `TypeError` for a cursor of something else. */
export async function listPage(database: LevelDatabase, query: ListQuery, now: number): Promise<ListPage> {
  const from = startOf(query)
  const snapshot = database.snapshot()
  try {
    return await pageFrom(from, database, { ...utf8, snapshot }, query, now)
  } finally {
    await snapshot.close()
  }
}

async function pageFrom(
  from: string,
  database: LevelDatabase,
  encodings: LevelEncodings,
  query: ListQuery,
  now: number,
): Promise<ListPage> {
  const found: { readonly id: string; readonly head: Head | undefined }[] = []
  let bytes = 0
  let dead = 0
  let cursor: string | undefined
  let before = from
  for await (const { id, value } of listed(database, encodings, query, from)) {
    const head = value === undefined ? undefined : parseHead(id, value)
    const isDead = value === undefined || (head !== undefined && isExpired(head, now))
    const size = isDead ? 0 : (head?.dataBytes ?? 0)
    if (found.length >= query.limit || dead >= maxDead || (found.length > 0 && bytes + size > maxPageBytes)) {
      cursor = encodeCursor(cursorTag, Buffer.from(between(before, id)).toString('hex'))
      break
    }
    if (isDead) dead += 1
    else found.push({ id, head })
    bytes += query.data === false ? 0 : size
    before = id
  }
  const records = query.data === false ? found.map(headerOf) : await withTheirData(database, encodings, found)
  return cursor === undefined ? { records } : { records, cursor }
}

/** Ids from `from` on with what stands under their heads: of all sessions, or of the owner's. */
async function* listed(
  database: LevelDatabase,
  encodings: LevelEncodings,
  { owner, prefix = '' }: ListQuery,
  from: string,
): AsyncGenerator<Listed> {
  const keyOf = owner === undefined ? headKey : (id: string) => ownerKey(owner, id)
  const range = { ...encodings, gte: keyOf(from), lt: keyOf(`${prefix}${after}`) }
  const idStart = keyOf('').length
  if (owner === undefined) {
    for await (const [key, value] of database.iterator(range)) yield { id: key.slice(idStart), value }
    return
  }
  let ids: string[] = []
  for await (const key of database.keys(range)) {
    if (ids.push(key.slice(idStart)) < idsPerRead) continue
    yield* await headsOf(database, encodings, ids, owner)
    ids = []
  }
  yield* await headsOf(database, encodings, ids, owner)
}

/** A head that is gone, or that knows another owner, is none of this owner's: its damaged session could not remove its key. */
async function headsOf(database: LevelDatabase, encodings: LevelEncodings, ids: string[], owner: string): Promise<Listed[]> {
  const values = await database.getMany(ids.map(headKey), encodings)
  return ids.map((id, index) => {
    const value = values[index]
    const head = value === undefined ? undefined : parseHead(id, value)
    return { id, value: head === undefined || head.owner === owner ? value : undefined }
  })
}

async function withTheirData(
  database: LevelDatabase,
  encodings: LevelEncodings,
  found: readonly { readonly id: string; readonly head: Head | undefined }[],
): Promise<SessionRecord[]> {
  const texts = await database.getMany(
    found.map(({ id }) => dataKey(id)),
    encodings,
  )
  return found.map(({ id, head }, index) => {
    const data = texts[index]
    return head !== undefined && matches(head, data) ? withData(head, data) : damagedRecord(id, head)
  })
}

function headerOf({ id, head }: { readonly id: string; readonly head: Head | undefined }): SessionRecord {
  return head === undefined ? damagedRecord(id, undefined) : withData(head, '')
}

function startOf({ prefix = '', cursor }: ListQuery): string {
  const position = cursor === undefined ? '' : positionIn(cursor)
  return position > prefix ? position : prefix
}

/**
 * The shortest text that parts two neighbouring ids: so much of the later one as differs from the earlier. Ids are what grants
 * access to a session, and a cursor may be shown to a client.
 */
function between(earlier: string, later: string): string {
  let shared = 0
  while (shared < earlier.length && earlier[shared] === later[shared]) shared += 1
  return later.slice(0, shared + 1)
}

function positionIn(cursor: string): string {
  const position = decodeCursor(cursorTag, cursor)
  if (/^(?:[0-9a-f]{2}){1,1020}$/.test(position)) return Buffer.from(position, 'hex').toString('utf8')
  throw new TypeError('cursor is not one of this listing: pass the cursor of the page before, unchanged')
}
