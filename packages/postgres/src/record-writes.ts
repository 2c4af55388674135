import type { BatchOutcome, Call, ReplaceResult, SessionRecord, Touch, TouchResult } from '@mcp-session/core/backend'
import { bigints, texts } from './binary-arrays.ts'
import { checkRecord, checkText, checkTouch } from './check-input.ts'
import { patientLane } from './patient-lane.ts'
import { damaged, headCrc, type Standing, standingIn } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Row, Wire } from './wire.ts'

/** The steps that change records. Those that are pending together travel together, at most one on an id. */
export interface RecordWrites {
  create(record: SessionRecord, call: Call): Promise<boolean>
  replace(record: SessionRecord, expectedRev: string, call: Call): Promise<ReplaceResult>
  touch(touch: Touch, call: Call): Promise<TouchResult>
  delete(id: string, expectedRev: string | undefined, call: Call): Promise<boolean>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

type Write =
  | { readonly kind: 'c'; readonly record: SessionRecord }
  | { readonly kind: 'r'; readonly record: SessionRecord; readonly expectedRev: string }
  | { readonly kind: 't'; readonly touch: Touch }
  | { readonly kind: 'd'; readonly id: string; readonly expectedRev: string | undefined }

/** Whether the call has done what it is for, and otherwise what the engine has instead. */
interface Outcome {
  readonly done: boolean
  readonly standing: Standing | undefined
}

export function recordWrites(wire: Wire, statements: Statements): RecordWrites {
  const lane = patientLane<Write, Outcome>({ flush, bytesOf })

  async function flush(writes: readonly Write[], calls: readonly Call[], lockMs: string): Promise<readonly BatchOutcome<Outcome>[]> {
    return outcomesOf(writes, calls, await wire.write(statements.write, parametersOf(writes, calls, lockMs), calls))
  }

  function run(write: Write, call: Call): Promise<Outcome> {
    const id = idOf(write)
    return lane.run(id, id, write, call)
  }

  return {
    async create(record, call) {
      checkRecord(record)
      return (await run({ kind: 'c', record }, call)).done
    },
    async replace(record, expectedRev, call) {
      checkRecord(record)
      checkText('expectedRev', expectedRev)
      const { done, standing } = await run({ kind: 'r', record, expectedRev }, call)
      if (done) return { replaced: true }
      // A row with the rev asked for came after this call was judged: for this call there was none.
      const current = standing?.record.rev === expectedRev ? undefined : standing?.record
      return { replaced: false, current }
    },
    async touch(touch, call) {
      checkTouch(touch)
      const { done, standing } = await run({ kind: 't', touch }, call)
      if (done) return 'touched'
      if (standing === undefined) return 'missing'
      // One with that rev that is not as late came after this call was judged, too.
      return standing.record.rev === touch.rev && isAsLate(standing.record, touch) ? 'touched' : 'moved'
    },
    async delete(id, expectedRev, call) {
      checkText('id', id)
      if (expectedRev !== undefined) checkText('expectedRev', expectedRev)
      return (await run({ kind: 'd', id, expectedRev }, call)).done
    },
    drain: lane.drain,
  }
}

function idOf(write: Write): string {
  if (write.kind === 't') return write.touch.id
  return write.kind === 'd' ? write.id : write.record.id
}

function isAsLate(record: SessionRecord, { lastAccessedAt, expiresAt }: Touch): boolean {
  return record.lastAccessedAt >= lastAccessedAt && record.expiresAt >= expiresAt
}

function bytesOf(write: Write): number {
  return 'record' in write ? write.record.data.length : 0
}

/** In the order of `writeFunction`. */
function parametersOf(writes: readonly Write[], calls: readonly Call[], lockMs: string): unknown[] {
  const records = writes.map((write) => ('record' in write ? write.record : null))
  const times = writes.map((write) => (write.kind === 't' ? write.touch : 'record' in write ? write.record : null))
  return [
    texts(writes.map(({ kind }) => kind)),
    texts(writes.map(idOf)),
    bigints(calls.map(({ now }) => now)),
    column(texts, writes, expectedOf),
    column(texts, records, (record) => record?.rev ?? null),
    column(texts, records, (record) => record?.prevRev ?? null),
    column(texts, records, (record) => record?.owner ?? null),
    column(bigints, records, (record) => record?.createdAt ?? null),
    column(bigints, times, (time) => time?.lastAccessedAt ?? null),
    column(bigints, records, (record) => record?.ttlMs ?? null),
    column(bigints, records, (record) => record?.mustEndAt ?? null),
    column(bigints, times, (time) => time?.expiresAt ?? null),
    column(bigints, records, (record) => record && headCrc(record)),
    column(texts, records, (record) => record?.data ?? null),
    lockMs,
  ]
}

/** `null` where there would be nothing but nulls: `unnest` fills up with nulls as well. */
function column<T, V extends string | number>(
  arrayOf: (values: readonly (V | null)[]) => Buffer,
  rows: readonly T[],
  of: (row: T) => V | null,
): Buffer | null {
  const values = rows.map(of)
  return values.every((value) => value === null) ? null : arrayOf(values)
}

function expectedOf(write: Write): string | null {
  if (write.kind === 'c') return null
  return write.kind === 't' ? write.touch.rev : (write.expectedRev ?? null)
}

function outcomesOf(writes: readonly Write[], calls: readonly Call[], rows: readonly Row[]): BatchOutcome<Outcome>[] {
  const done = new Set((rows[0]?.[1] ?? '{}').slice(1, -1).split(','))
  const standing = new Map(rows.slice(1).map((row) => [row[0], standingIn(row, 2)]))
  return writes.map((write, index) => {
    const n = String(index + 1)
    if (done.has(n)) return { value: { done: true, standing: undefined } }
    const found = standing.get(n)
    // A delete has looked at the rev and no more: whoever asks for the end of a damaged row gets it.
    if (found?.intact === false && write.kind !== 'd') return { error: damaged(idOf(write)) }
    const isLive = found !== undefined && found.record.expiresAt > (calls[index]?.now ?? 0)
    return { value: { done: false, standing: isLive ? found : undefined } }
  })
}
