import { streamName } from './cursors.ts'
import { type EventLog, endIndex, endKey, type OpeningFrame } from './event-log.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { JsonRpcError, RequestId } from './json-rpc.ts'

/** Ends the streams of calls that nobody will answer any more: their node is gone, or retention has taken the answer. */
export interface Orphans {
  /**
   * Looks after one stream that has no news after `after`. `isTrimmed`: events are missing that its reader has not seen. Rejects
   * where the store does not answer.
   */
  settle(call: StreamedCall, after: number, isTrimmed: boolean): Promise<Settled>
}

/** `'pending'`: answers are still to come. `'written'`: they are there now, look again. `'over'`: the reader has had all of them. */
export type Settled = 'pending' | 'written' | 'over'

export interface StreamedCall {
  readonly sessionId: string
  readonly owner: string | null
  readonly opening: number
  readonly frame: OpeningFrame
}

export interface OrphansOptions {
  readonly log: EventLog
  readonly node: string
  readonly heartbeats: Pick<Heartbeats, 'isAlive'>
  readonly isRunningHere: (sessionId: string, opening: number) => boolean
  readonly onOrphaned: (call: StreamedCall, requestId: RequestId) => void
}

/** What the log has of the calls of one stream. */
export interface StreamState {
  /** Sequence of each last event, by the place of its request. */
  readonly ends: ReadonlyMap<number, number>
  /** Sequence of the newest event with a message; 0: none is kept. */
  readonly newest: number
  /** Whether any event is kept. */
  readonly isKept: boolean
  /** The newest sequence of the session. */
  readonly last: number
}

/** Reads a whole stream. `undefined`: the session has ended. */
export async function readStream(log: EventLog, sessionId: string, opening: number): Promise<StreamState | undefined> {
  const ends = new Map<number, number>()
  let newest = 0
  let isKept = false
  for (let after = opening; ; ) {
    const page = await log.read(sessionId, streamName(opening), after)
    if (page === undefined) return undefined
    for (const event of page.events) {
      after = event.sequence
      isKept = true
      if (event.data !== '') newest = after
      const index = endIndex(event.key)
      if (index !== undefined) ends.set(index, after)
    }
    if (page.events.length === 0) return { ends, newest, isKept, last: page.last }
  }
}

export function orphans({ log, node, heartbeats, isRunningHere, onOrphaned }: OrphansOptions): Orphans {
  /** A call of this node that does not run here has lost its server. */
  async function isGone({ frame }: StreamedCall): Promise<boolean> {
    return frame.node === node || !(await heartbeats.isAlive(frame.node))
  }

  async function fail(call: StreamedCall, state: StreamState, answer: (id: RequestId) => JsonRpcError): Promise<RequestId[]> {
    const { sessionId, opening, frame } = call
    const ended: RequestId[] = []
    for (const [index, id] of frame.requests.entries()) {
      if (state.ends.has(index)) continue
      const sequence = await log.append(sessionId, streamName(opening), JSON.stringify(answer(id)), { key: endKey(opening, index) })
      // Written once: an older sequence is that of somebody who was faster.
      if (sequence !== undefined && sequence > state.last) ended.push(id)
    }
    return ended
  }

  return {
    async settle(call, after, isTrimmed) {
      const { sessionId, opening, frame } = call
      if (frame.node === node && isRunningHere(sessionId, opening)) return 'pending'
      const gone = await isGone(call)
      if (!gone && !isTrimmed) return 'pending'
      const state = await readStream(log, sessionId, opening)
      if (state === undefined) return 'written'
      if (state.ends.size === frame.requests.length) return [...state.ends.values()].some((end) => end > after) ? 'written' : 'over'
      // The oldest goes first: where a message of one call is left, its answer was not taken away but is still to come.
      if (!gone && frame.requests.length === 1 && state.isKept) return 'pending'
      const ended = await fail(call, state, gone ? orphanAnswer : lostAnswer)
      if (gone) for (const id of ended) onOrphaned(call, id)
      return 'written'
    },
  }
}

/** The answer of a call whose server is gone. It may have run in part: whether to call again is for the caller to say. */
export function orphanAnswer(id: RequestId): JsonRpcError {
  return failed(id, 'The server that ran this call is gone: it may have run in part')
}

/** What retention has taken cannot be sent any more, and the client must not wait for it. */
function lostAnswer(id: RequestId): JsonRpcError {
  return failed(id, 'The answer is not kept any more')
}

function failed(id: RequestId, message: string): JsonRpcError {
  return { jsonrpc: '2.0', id, error: { code: -32000, message } }
}
