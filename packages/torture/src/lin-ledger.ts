import { openSync, writeSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import type { RecordAnswer, RecordCall, RecordOperation } from '@mcp-session/conformance'

/** A file in which a process notes each call before it is sent and again when it has ended: what it did outlives it. */
export interface Ledger {
  /** The number under which its end is noted. */
  begin(client: string, id: string, call: RecordCall, at: number): number
  end(n: number, answer: RecordAnswer, at: number): void
  /** `outcome`: what the failure says of a write. `bad`: it is no failure that may happen. */
  fail(n: number, outcome: 'none' | 'unknown', what: string, bad: boolean): void
  /** Something that must not be, in words. */
  wrong(what: string): void
}

export interface ReadLedger {
  readonly operations: readonly RecordOperation[]
  /** Calls that failed, by what they said. */
  readonly failures: ReadonlyMap<string, number>
  readonly wrong: readonly string[]
}

interface Line {
  readonly n: number
  readonly begin?: { readonly client: string; readonly id: string; readonly call: RecordCall; readonly at: number }
  readonly end?: { readonly answer: RecordAnswer; readonly at: number }
  readonly fail?: { readonly outcome: 'none' | 'unknown'; readonly what: string }
  readonly wrong?: string
}

export function openLedger(path: string): Ledger {
  const file = openSync(path, 'a')
  let begun = 0
  const write = (line: Line) => writeSync(file, `${JSON.stringify(line)}\n`)
  return {
    begin(client, id, call, at) {
      begun += 1
      write({ n: begun, begin: { client, id, call, at } })
      return begun
    },
    end(n, answer, at) {
      write({ n, end: { answer, at } })
    },
    fail(n, outcome, what, bad) {
      write({ n, fail: { outcome, what }, ...(bad ? { wrong: what } : {}) })
    },
    wrong(what) {
      write({ n: 0, wrong: what })
    },
  }
}

/** Takes a ledger out of its file. A write without an end is unknown; a call that certainly did nothing is left out. */
export async function takeLedger(path: string): Promise<ReadLedger> {
  const text = await readFile(path, 'utf8').catch(() => '')
  await rm(path, { force: true })
  const open = new Map<number, RecordOperation>()
  const operations: RecordOperation[] = []
  const failures = new Map<string, number>()
  const wrong: string[] = []
  // A killed process may leave a torn last line: a call that it noted so was not sent.
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue
    const { n, begin, end, fail, wrong: told }: Line = JSON.parse(line)
    if (told !== undefined) wrong.push(told)
    if (begin !== undefined) open.set(n, unknownOperation(begin))
    const operation = open.get(n)
    if (operation !== undefined && end !== undefined) {
      operations.push({ ...operation, known: true, end: end.at, answer: end.answer })
      open.delete(n)
    }
    if (fail !== undefined) {
      failures.set(fail.what, (failures.get(fail.what) ?? 0) + 1)
      if (fail.outcome === 'none') open.delete(n)
    }
  }
  return { operations: [...operations, ...[...open.values()].filter(({ call }) => call.method !== 'get')], failures, wrong }
}

function unknownOperation({ client, id, call, at }: NonNullable<Line['begin']>): RecordOperation {
  return { id, client, call, start: at, end: Number.POSITIVE_INFINITY, known: false, answer: { done: false } }
}
