import { inspect } from 'node:util'
import type { SessionRecord } from '@mcp-session/core/backend'
import { START } from './clock.ts'

/** Everything that a case asked of its backends, in order; printed when it fails. */
export interface History {
  /** Runs a call and notes it with its outcome. */
  around<T>(who: string, method: string, args: readonly unknown[], now: number, run: () => Promise<T>): Promise<T>
  /** A line of the case's own. */
  note(text: string): void
  /** Begins anew: another run of the same property. */
  clear(): void
  /** Keeps what is there for `lines`, whatever comes: the run that failed, before it is shortened. The last call counts. */
  keep(): void
  /** The newest lines that speak of what the last one speaks of, oldest first. */
  lines(limit?: number): string[]
}

interface Entry {
  readonly text: string
  /** The session that the call is about; undefined: no particular one. */
  readonly id: string | undefined
  outcome: string
}

// More than a reader takes in, and races make thousands.
const KEPT = 400

export function history(): History {
  let entries: Entry[] = []
  let kept: readonly Entry[] | undefined

  function add(entry: Entry): Entry {
    entries.push(entry)
    if (entries.length > 2 * KEPT) entries = entries.slice(-KEPT)
    return entry
  }

  return {
    around(who, method, args, now, run) {
      const named = args.filter((arg) => arg !== undefined).map(brief)
      const text = `${instant(now)} ${who}${method}(${named.join(', ')})`
      const entry = add({ text, id: idOf(args[0]), outcome: ' … not settled' })
      return run().then(
        (value) => {
          entry.outcome = ` → ${brief(value)}`
          return value
        },
        (error: unknown) => {
          entry.outcome = ` ✗ ${error instanceof Error ? `${error.name}: ${error.message}` : brief(error)}`
          throw error
        },
      )
    },
    note: (text) => {
      add({ text, id: undefined, outcome: '' })
    },
    clear() {
      entries = []
    },
    keep() {
      kept = [...entries]
    },
    lines(limit = 16) {
      const told = kept ?? entries
      const subject = told.at(-1)?.id
      const related = told.filter(({ id }) => subject === undefined || id === undefined || id === subject)
      return related.slice(-limit).map((entry) => entry.text + entry.outcome)
    },
  }
}

function idOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument
  const id: unknown = typeof argument === 'object' && argument !== null && 'id' in argument ? argument.id : undefined
  return typeof id === 'string' ? id : undefined
}

function instant(at: number): string {
  const past = at - START
  return Math.abs(past) < 1e9 ? `${past < 0 ? '' : '+'}${past}ms` : String(at)
}

function brief(value: unknown): string {
  if (isRecord(value)) return briefRecord(value)
  const shown = typeof value === 'object' && value !== null ? shorten(value) : value
  const text = inspect(shown, { breakLength: Number.POSITIVE_INFINITY, depth: 4, maxArrayLength: 6, maxStringLength: 60 })
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`
}

/** Records inside a listing or a lost race, in short. */
function shorten(value: object): unknown {
  const short = (inner: unknown): unknown => (isRecord(inner) ? { [inspect.custom]: () => briefRecord(inner) } : inner)
  if (Array.isArray(value)) return value.map(short)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, Array.isArray(inner) ? inner.map(short) : short(inner)]))
}

/** Id, rev and end always; of the others what is not as usual. */
function briefRecord(record: SessionRecord): string {
  const owner = record.owner === null ? '' : ` owner=${inspect(record.owner, { maxStringLength: 30 })}`
  const accessed = record.lastAccessedAt === record.createdAt ? '' : ` accessed=${instant(record.lastAccessedAt)}`
  const data = inspect(record.data, { maxStringLength: 30 })
  return `{${record.id.slice(0, 40)} rev=${record.rev}${owner}${accessed} expires=${instant(record.expiresAt)} data=${data}}`
}

function isRecord(value: unknown): value is SessionRecord {
  if (typeof value !== 'object' || value === null) return false
  const fields: Partial<Record<keyof SessionRecord, unknown>> = value
  return (
    typeof fields.id === 'string' &&
    typeof fields.rev === 'string' &&
    typeof fields.data === 'string' &&
    typeof fields.expiresAt === 'number'
  )
}
