import {
  type BatchOutcome,
  batcher,
  type Call,
  type EventLog,
  type EventPage,
  type EventQuery,
  type NewEvent,
  type Retention,
  type StoredEvent,
} from '@mcp-session/core/backend'
import { bigints, texts } from './binary-arrays.ts'
import { checkEvent, checkPage, checkText } from './check-input.ts'
import { patientLane } from './patient-lane.ts'
import { isCallsFault } from './postgres-errors.ts'
import { damaged, storedBound } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Row, Wire } from './wire.ts'

/** The event log over the functions of `event-functions.ts`. */
export interface SessionEvents extends EventLog {
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

interface Append {
  readonly sessionId: string
  readonly event: NewEvent
  readonly retention: Retention
}

interface Read {
  readonly sessionId: string
  readonly query: EventQuery
}

interface Restore {
  readonly sessionId: string
  readonly page: EventPage
}

const maxPageBytes = 4 * 1024 * 1024

export function sessionEvents(wire: Wire, statements: Statements): SessionEvents {
  const appends = patientLane<Append, number | undefined>({ flush: flushAppends, bytesOf: ({ event }) => event.data.length })
  // A page may have 4 MiB.
  const reads = batcher<Read, EventPage | undefined>({ name: 'postgres', flush: flushReads, isDataError: isCallsFault, maxCalls: 32 })
  const restores = patientLane<Restore, boolean>({ flush: flushRestores, bytesOf: () => maxPageBytes })

  async function flushAppends(
    inputs: readonly Append[],
    calls: readonly Call[],
    lockMs: string,
  ): Promise<readonly BatchOutcome<number | undefined>[]> {
    const bound = (of: (retention: Retention, now: number) => number) =>
      bigints(inputs.map(({ retention }, index) => storedBound(of(retention, calls[index]?.now ?? 0))))
    const parameters = [
      texts(inputs.map(({ sessionId }) => sessionId)),
      bigints(calls.map(({ now }) => now)),
      texts(inputs.map(({ event }) => event.key)),
      texts(inputs.map(({ event }) => event.stream)),
      texts(inputs.map(({ event }) => event.data)),
      bound(({ maxEvents }) => maxEvents),
      bound(({ maxAgeMs }, now) => now - maxAgeMs),
      bound(({ maxBytes }) => maxBytes),
      internalBounds(inputs, calls),
      lockMs,
    ]
    const rows = await wire.write(statements.append, parameters, calls)
    const outcomes = new Map(rows.map((row) => [row[0], row]))
    return inputs.map(({ sessionId }, index) => {
      const [, sequence, intact] = outcomes.get(String(index + 1)) ?? []
      if (intact === 'f') return { error: damaged(sessionId) }
      return { value: sequence === null || sequence === undefined ? undefined : Number(sequence) }
    })
  }

  async function flushReads(inputs: readonly Read[], calls: readonly Call[]): Promise<readonly BatchOutcome<EventPage | undefined>[]> {
    const parameters = [
      texts(inputs.map(({ sessionId }) => sessionId)),
      bigints(calls.map(({ now }) => now)),
      texts(inputs.map(({ query: { streams = [] } }) => (streams.length === 0 ? null : JSON.stringify(streams)))),
      bigints(inputs.map(({ query }) => query.after)),
      bigints(inputs.map(({ query }) => query.limit)),
      bigints(inputs.map(({ query }, index) => storedBound((calls[index]?.now ?? 0) - query.maxAgeMs))),
      maxPageBytes,
    ]
    const rows = await wire.read(statements.read, parameters, calls)
    const pages = inputs.map((): Row[] => [])
    for (const row of rows) pages[Number(row[0]) - 1]?.push(row)
    return inputs.map(({ sessionId }, index) => pageOf(sessionId, pages[index] ?? []))
  }

  /** Pages are large and restores rare: each is a statement, and a failure is its own. */
  async function flushRestores(
    inputs: readonly Restore[],
    calls: readonly Call[],
    lockMs: string,
  ): Promise<readonly BatchOutcome<boolean>[]> {
    const outcomes: BatchOutcome<boolean>[] = []
    for (const [index, input] of inputs.entries()) {
      const call = calls[index]
      if (call !== undefined) outcomes.push(await restored(input, call, lockMs))
    }
    return outcomes
  }

  async function restored({ sessionId, page }: Restore, call: Call, lockMs: string): Promise<BatchOutcome<boolean>> {
    const parameters = [
      sessionId,
      call.now,
      bigints(page.events.map(({ sequence }) => sequence)),
      texts(page.events.map(({ key }) => key)),
      texts(page.events.map(({ stream }) => stream)),
      bigints(page.events.map(({ createdAt }) => createdAt)),
      texts(page.events.map(({ data }) => data)),
      Math.max(page.last, page.events.at(-1)?.sequence ?? 0),
      page.trimmed ? newestMissing(page) : 0,
      lockMs,
    ]
    const [row] = await wire.write(statements.restore, parameters, [call])
    return row?.[1] === 'f' ? { error: damaged(sessionId) } : { value: row?.[0] === 't' }
  }

  return {
    async append(sessionId, event, retention, call) {
      checkText('sessionId', sessionId)
      checkEvent(event)
      // Several appends to one session can share a flush, in their order: none has a key.
      return appends.run(undefined, sessionId, { sessionId, event, retention }, call)
    },
    async read(sessionId, query, call) {
      checkText('sessionId', sessionId)
      for (const stream of query.streams ?? []) checkText('stream', stream)
      return reads.run(undefined, { sessionId, query }, call)
    },
    async restore(sessionId, page, call) {
      checkText('sessionId', sessionId)
      checkPage(page)
      return restores.run(undefined, sessionId, { sessionId, page }, call)
    },
    async drain() {
      await Promise.all([appends.drain(), reads.drain(), restores.drain()])
    },
  }
}

function internalBounds(inputs: readonly Append[], calls: readonly Call[]): Buffer {
  return bigints(
    inputs.map(({ retention: { maxInternalAgeMs } }, index) =>
      maxInternalAgeMs === undefined ? null : storedBound((calls[index]?.now ?? 0) - maxInternalAgeMs),
    ),
  )
}

/** A damaged event is handed over as what is left of it: the store's checksum finds it, and the page goes on. */
function pageOf(sessionId: string, [head, ...rows]: readonly Row[]): BatchOutcome<EventPage | undefined> {
  if (head === undefined) return { value: undefined }
  if (head[7] !== 't') return { error: damaged(sessionId) }
  return { value: { events: rows.map(eventOf), last: Number(head[1]), trimmed: head[6] === 't' } }
}

function eventOf([, sequence, key, stream, createdAt, data]: Row): StoredEvent {
  return { sequence: Number(sequence), key: key ?? '', stream: stream ?? '', createdAt: Number(createdAt), data: data ?? '' }
}

/** The greatest sequence that a page skips; in a page without events, all up to its `last`. */
function newestMissing(page: EventPage): number {
  const present = new Set(page.events.map((event) => event.sequence))
  let sequence = page.events.at(-1)?.sequence ?? page.last
  while (present.has(sequence)) sequence -= 1
  return sequence
}
