import { type BatchOutcome, batcher, type Call, type SessionRecord } from '@mcp-session/core/backend'
import { bigints, texts } from './binary-arrays.ts'
import { checkText } from './check-input.ts'
import { isCallsFault } from './postgres-errors.ts'
import { damaged, type Standing, standingIn } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Wire } from './wire.ts'

/** Reads of single records; those that are pending together are one statement. */
export interface RecordReads {
  get(id: string, call: Call, known: SessionRecord | undefined): Promise<SessionRecord | undefined>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

interface Read {
  readonly id: string
  readonly known: SessionRecord | undefined
}

type Outcomes = readonly BatchOutcome<SessionRecord | undefined>[]
type Found = ReadonlyMap<string, Standing>

export function recordReads(wire: Wire, statements: Statements): RecordReads {
  const batches = batcher<Read, SessionRecord | undefined>({ name: 'postgres', flush, isDataError: isCallsFault })

  function get(id: string, call: Call, known: SessionRecord | undefined): Promise<SessionRecord | undefined> {
    try {
      checkText('id', id)
    } catch (error) {
      return Promise.reject(error)
    }
    // Reads of one id can share a flush: none has a key.
    return batches.run(undefined, { id, known: known?.id === id ? known : undefined }, call)
  }

  /** Each session is asked for once. What one caller knows serves the others, too. */
  async function flush(reads: readonly Read[], calls: readonly Call[]): Promise<Outcomes> {
    const asked = new Map<string, Read>()
    let isKnown = false
    for (const read of reads) {
      if (read.known !== undefined) isKnown = true
      if (read.known !== undefined || !asked.has(read.id)) asked.set(read.id, read)
    }
    const found = await (asked.size === 1 ? one : isKnown ? someKnown : unknown)([...asked.values()], calls)
    return reads.map(({ id, known }, index) => outcomeOf(found.get(id), calls[index]?.now ?? 0, known))
  }

  async function one([read]: readonly Read[], calls: readonly Call[]): Promise<Found> {
    if (read === undefined) return new Map()
    const { id, known } = read
    const [row] = await (known === undefined
      ? wire.read(statements.getOne, [id], calls)
      : wire.read(statements.getOneKnown, [id, known.rev], calls))
    return new Map(row === undefined ? [] : [[id, standingIn(row, 0, known)]])
  }

  async function unknown(asked: readonly Read[], calls: readonly Call[]): Promise<Found> {
    const found = new Map<string, Standing>()
    for (const row of await wire.read(statements.get, [texts(asked.map(({ id }) => id))], calls)) {
      const standing = standingIn(row, 0)
      found.set(standing.record.id, standing)
    }
    return found
  }

  /** No row: the session is as it is known. A row of nulls: there is none. */
  async function someKnown(asked: readonly Read[], calls: readonly Call[]): Promise<Found> {
    const values = [
      texts(asked.map(({ id }) => id)),
      texts(asked.map(({ known }) => known?.rev ?? null)),
      bigints(asked.map(({ known }) => known?.lastAccessedAt ?? null)),
      bigints(asked.map(({ known }) => known?.expiresAt ?? null)),
    ]
    const rows = await wire.read(statements.getKnown, values, calls)
    const found = new Map<string, Standing>()
    for (const { id, known } of asked) if (known !== undefined) found.set(id, { record: known, intact: true })
    for (const row of rows) {
      const read = asked[Number(row[0]) - 1]
      if (read === undefined) continue
      if (row[1] === null) found.delete(read.id)
      else found.set(read.id, standingIn(row, 1, read.known))
    }
    return found
  }

  return { get, drain: batches.drain }
}

function outcomeOf(standing: Standing | undefined, now: number, known: SessionRecord | undefined): BatchOutcome<SessionRecord | undefined> {
  if (standing === undefined) return { value: undefined }
  const { record, intact } = standing
  if (!intact) return { error: damaged(record.id) }
  if (record.expiresAt <= now) return { value: undefined }
  // A record of its own for every caller: what one does with it is not seen by the others.
  return { value: record === known ? known : { ...record } }
}
