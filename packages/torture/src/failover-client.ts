import { parseArgs } from 'node:util'
import { openSessions, SessionError } from '@mcp-session/core'
import { answerRequests } from './client-requests.ts'
import { backendOf } from './store-place.ts'

// A process of the harness `failover`: it writes until nothing is acknowledged any more.

export type FailoverRequest = { readonly do: 'begin' } | { readonly do: 'finish' }

/** One session, and what its writer was told. */
export interface Acknowledged {
  readonly id: string
  /** Whether its creation was acknowledged. */
  created: boolean
  /** The number that was acknowledged last. */
  n: number
  /** Further additions that may have been made. */
  maybe: number
  /** Of its deletion; `unknown`: it may be gone. */
  deleted: 'no' | 'yes' | 'unknown'
  acknowledged: number
  unknown: number
}

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { store: text, name: text } })
const { store = '', name = '' } = values
const sessions = await openSessions<{ n: number }>({ backend: backendOf(store), cleanupIntervalMs: 0, callTimeoutMs: 2_000, onError() {} })
const writers = 16
const additions = 12
/** The primary is dead for good: so many failures in a row are its end. */
const failuresAtEnd = 8
const written: Acknowledged[] = []
let isOver = false
let writing: Promise<unknown> = Promise.resolve()

answerRequests(async (request: FailoverRequest) => {
  if (request.do === 'begin') {
    writing = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
    return undefined
  }
  isOver = true
  await writing
  return written
})

/** One session after the other. */
async function write(writer: number): Promise<void> {
  let failures = 0
  for (let count = 0; !isOver && failures < failuresAtEnd; count += 1) {
    const isThrough = await writeOne(`s_${name}-${writer}-${count}`, count % 3 === 0)
    failures = isThrough ? 0 : failures + 1
  }
}

/** Creates a session, adds in it, and deletes it if it is to end; until something fails. Whether nothing did. */
async function writeOne(id: string, isToEnd: boolean): Promise<boolean> {
  const told: Acknowledged = { id, created: false, n: 0, maybe: 0, deleted: 'no', acknowledged: 0, unknown: 0 }
  written.push(told)
  const created = await attempt(told, () => sessions.create({ n: 0 }, { id, owner: name, ttlMs: 3_600_000 }))
  if (created !== 'done') return false
  told.created = true
  for (let addition = 0; addition < additions; addition += 1) {
    const added = await attempt(told, () => sessions.update(id, ({ n }) => ({ n: n + 1 })))
    if (added === 'unknown') told.maybe += 1
    if (added !== 'done') return false
    told.n += 1
  }
  if (!isToEnd) return true
  const deleted = await attempt(told, () => sessions.delete(id))
  if (deleted === 'done') told.deleted = 'yes'
  if (deleted === 'unknown') told.deleted = 'unknown'
  return deleted === 'done'
}

async function attempt(told: Acknowledged, run: () => Promise<unknown>): Promise<'done' | 'unknown' | 'failed'> {
  try {
    await run()
    told.acknowledged += 1
    return 'done'
  } catch (error) {
    if (!SessionError.is(error) || error.outcome === 'none') return 'failed'
    told.unknown += 1
    return 'unknown'
  }
}
