import { streamName } from './cursors.ts'
import { type EventLog, endIndex } from './event-log.ts'

/** What the log has of the calls of one stream. */
export interface StreamState {
  /** Sequence of each last event, by the place of its request. */
  readonly ends: ReadonlyMap<number, number>
  /** Places of the requests that their node has said to be running, by the question. */
  readonly running: ReadonlyMap<string, ReadonlySet<number>>
  /** Sequence of the newest event with a message; 0: none is kept. */
  readonly newest: number
  /** Whether a message or an end is kept. */
  readonly isKept: boolean
  /** The newest sequence of the session. */
  readonly last: number
}

/** Reads a whole stream. `undefined`: the session has ended. */
export async function readStream(log: EventLog, sessionId: string, opening: number): Promise<StreamState | undefined> {
  const ends = new Map<number, number>()
  const running = new Map<string, ReadonlySet<number>>()
  let newest = 0
  let isKept = false
  for (let after = opening; ; ) {
    const page = await log.read(sessionId, streamName(opening), after)
    if (page === undefined) return undefined
    for (const event of page.events) {
      after = event.sequence
      const reply = runningReply(event.key)
      if (reply !== undefined) {
        running.set(reply.question, reply.indexes)
        continue
      }
      isKept = true
      if (event.data !== '') newest = after
      const index = endIndex(event.key)
      if (index !== undefined) ends.set(index, after)
    }
    if (page.events.length === 0) return { ends, running, newest, isKept, last: page.last }
  }
}

const runningPrefix = 'runs.'

/** The key of an event without a message by which a node says which requests of a stream it still runs. */
export function runningKey(question: string, indexes: readonly number[]): string {
  const bits = indexes.reduce((sum, index) => sum | (1n << BigInt(index)), 0n)
  return `${runningPrefix}${question}.${bits.toString(36)}`
}

function runningReply(key: string): { readonly question: string; readonly indexes: ReadonlySet<number> } | undefined {
  const match = /^runs\.([\w-]+)\.([0-9a-z]+)$/.exec(key)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  let bits = 0n
  for (const digit of match[2]) bits = bits * 36n + BigInt(Number.parseInt(digit, 36))
  const indexes = new Set<number>()
  for (let index = 0; bits > 0n; index += 1, bits >>= 1n) if (bits & 1n) indexes.add(index)
  return { question: match[1], indexes }
}
