import { randomBytes } from 'node:crypto'
import { streamName } from './cursors.ts'
import { type EventLog, endKey, type OpeningFrame } from './event-log.ts'
import type { Heartbeats } from './heartbeats.ts'
import { askWhetherRunning } from './inbox.ts'
import type { JsonRpcError, RequestId } from './json-rpc.ts'
import { readStream, type StreamState } from './stream-state.ts'

/** Ends the streams of calls that nobody will answer any more: their node is gone, or retention has taken the answer. */
export interface Orphans {
  /** Looks after one open stream of a call. */
  settling(call: StreamedCall): Settling
}

export interface Settling {
  /**
   * For a stream that has no news after `after`; `isTrimmed`: events are missing that its reader has not seen. Rejects where the
   * store does not answer.
   */
  settle(after: number, isTrimmed: boolean): Promise<Settled>
  /** The store has failed: what was suspected before counts no more. */
  doubt(): void
}

/**
 * `'pending'`: answers are still to come. `'written'`: they are there now, look again. `'over'`: the reader has had all of them.
 * Errors: the answers, where the log does not show them any more.
 */
export type Settled = 'pending' | 'written' | 'over' | readonly JsonRpcError[]

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
  readonly deadAfterMs: number
  readonly isRunningHere: (sessionId: string, opening: number) => boolean
  /** Makes the session's streams look again after a while. */
  readonly lookAgain: (sessionId: string, afterMs: number) => void
  readonly onOrphaned: (call: StreamedCall, requestId: RequestId) => void
}

export function orphans(options: OrphansOptions): Orphans {
  const line: StoreLine = { failedAt: Number.NEGATIVE_INFINITY }
  return { settling: (call) => settling(call, options, line) }
}

/** When a stream of this node last found that the store did not answer, on the scale of `performance.now()`. */
interface StoreLine {
  failedAt: number
}

function settling(call: StreamedCall, options: OrphansOptions, line: StoreLine): Settling {
  const { log, node, heartbeats, deadAfterMs, isRunningHere, lookAgain, onOrphaned } = options
  const { sessionId, opening, frame } = call
  /** After an outage of the store two looks have to find the node dead, a renewal apart: its first renewal may be on its way. */
  const certainAfterMs = Math.ceil(deadAfterMs / 4)
  let suspectedAt: number | undefined
  let asked: { readonly id: string; readonly at: number } | undefined

  async function isDead(): Promise<boolean> {
    if (await heartbeats.isAlive(frame.node)) {
      suspectedAt = undefined
      return false
    }
    const at = performance.now()
    if (at - line.failedAt > deadAfterMs) return true
    if (suspectedAt === undefined) {
      suspectedAt = at
      lookAgain(sessionId, certainAfterMs)
    }
    return at - suspectedAt >= certainAfterMs
  }

  /** Of a living node whose events retention has taken: which of the calls have ended, as far as the node says. */
  async function lostOf(state: StreamState): Promise<readonly number[]> {
    const open = [...frame.requests.keys()].filter((index) => !state.ends.has(index))
    // The oldest goes first: where a message of one call is left, its answer was not taken away but is still to come.
    if (frame.requests.length === 1 && state.isKept) return []
    const at = performance.now()
    if (asked === undefined) {
      asked = { id: randomBytes(9).toString('base64url'), at }
      await askWhetherRunning(log, sessionId, { opening, id: asked.id })
      lookAgain(sessionId, deadAfterMs)
      return []
    }
    const running = state.running.get(asked.id)
    const isLate = at - asked.at >= deadAfterMs
    // Nobody knows of the call: it has ended there.
    if (running === undefined) return isLate ? open : []
    if (isLate) asked = undefined
    return open.filter((index) => !running.has(index))
  }

  async function fail(state: StreamState, after: number, indexes: readonly number[], isGone: boolean): Promise<Settled> {
    const unseen: JsonRpcError[] = []
    let isWritten = false
    for (const index of indexes) {
      const id = frame.requests[index]
      if (id === undefined) continue
      const answer = isGone ? orphanAnswer(id) : failedAnswer(id, 'The answer is not kept any more')
      const sequence = await log.append(sessionId, streamName(opening), JSON.stringify(answer), { key: endKey(opening, index) })
      isWritten ||= sequence === undefined || sequence > Math.max(after, state.last)
      // An end that the log has under that key, and does not show: too old, or damaged.
      if (sequence !== undefined && sequence <= state.last) unseen.push(answer)
      else if (isGone && sequence !== undefined) onOrphaned(call, id)
    }
    return isWritten ? 'written' : unseen
  }

  return {
    doubt() {
      line.failedAt = performance.now()
      suspectedAt = undefined
    },
    async settle(after, isTrimmed) {
      const isOwn = frame.node === node
      if (isOwn && isRunningHere(sessionId, opening)) return 'pending'
      const isGone = isOwn ? !isTrimmed : await isDead()
      if (!isOwn && !isGone && !isTrimmed) return 'pending'
      const state = await readStream(log, sessionId, opening)
      if (state === undefined) return 'written'
      if (state.ends.size === frame.requests.length) return [...state.ends.values()].some((end) => end > after) ? 'written' : 'over'
      const open = [...frame.requests.keys()].filter((index) => !state.ends.has(index))
      const lost = isOwn || isGone ? open : await lostOf(state)
      return lost.length === 0 ? 'pending' : fail(state, after, lost, isGone)
    },
  }
}

/** The answer of a call whose server is gone. It may have run in part: whether to call again is for the caller to say. */
export function orphanAnswer(id: RequestId): JsonRpcError {
  return failedAnswer(id, 'The server that ran this call is gone: it may have run in part')
}

export function failedAnswer(id: RequestId, message: string): JsonRpcError {
  return { jsonrpc: '2.0', id, error: { code: -32000, message } }
}
