import { SessionError } from '@mcp-session/core'
import type { StoredEvent } from '@mcp-session/core/backend'
import { streamName } from './cursors.ts'
import { deferred } from './deferred.ts'
import { type EventLog, endKey, internalStreams, type OpeningFrame } from './event-log.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { JsonRpcMessage, JsonRpcRequest, JsonRpcResponse, RequestId } from './json-rpc.ts'
import type { OpenStreams } from './open-streams.ts'
import { failedAnswer, orphanAnswer } from './orphans.ts'
import { SessionEnded } from './session-ended.ts'
import { runningKey } from './stream-state.ts'
import { writeQueue } from './write-queue.ts'

/** How the requests of one POST are answered: all at once as JSON, or through an SSE stream. */
export type Outcome =
  | { readonly as: 'json'; readonly answers: readonly JsonRpcResponse[] }
  | { readonly as: 'stream'; readonly opening: number }
  | { readonly as: 'ended' }

/** What the log has taken as the last event of one request; retention may take it away again. */
export type LastEvent = Pick<StoredEvent, 'sequence' | 'key' | 'data'>

/** The requests of one POST while they run. */
export interface Call {
  /** Settles once; `'ended'`: the session or the live server has ended before. */
  readonly outcome: Promise<Outcome>
  /** Resolves when every request has its last event, durably where it is a stream. */
  readonly done: Promise<void>
  /** Sequence of the frame that opened its stream; `undefined`: it is a plain call so far. */
  opening(): number | undefined
  /** Starts the wait for a plain answer; 0: becomes a stream before anything runs. Rejects where the log cannot be written. */
  start(jsonWaitMs: number): Promise<void>
  /** A message that belongs to the call: it becomes a stream. Resolves after the durable append. */
  relate(message: JsonRpcMessage): Promise<void>
  /** The last message of one request; of two only the first counts. */
  answer(response: JsonRpcResponse): Promise<void>
  /** The last events in the log, for the stream that may come too late to read them there: a slow reader, a full log. */
  lastEvents(): readonly LastEvent[]
  /** Says in the log which requests still run, for a reader elsewhere that retention has left with nothing. */
  confirm(question: string): Promise<void>
  /** A cancelled request ends without an answer. */
  cancel(id: RequestId): Promise<void>
  /** Ends the HTTP response as soon as there is something to resume from; the call goes on. */
  detach(): void
  isDetached(): boolean
  /** The live server has closed: nothing will be answered. A stream's requests end with an error; resolves when it is written. */
  abort(): Promise<void>
}

export interface CallOptions {
  readonly sessionId: string
  readonly requests: readonly JsonRpcRequest[]
  readonly node: string
  readonly log: EventLog
  readonly streams: OpenStreams
  /** Held while a stream is to be written: from it other nodes tell that the call runs. */
  readonly heartbeats: Pick<Heartbeats, 'hold' | 'release'>
  /** An answer that neither log nor client could be given. */
  readonly onLost: (error: unknown) => void
}

export function newCall({ sessionId, requests, node, log, streams, heartbeats, onLost }: CallOptions): Call {
  const ends: (JsonRpcResponse | 'cancelled' | undefined)[] = requests.map(() => undefined)
  /** Requests of a batch that ended before there was a stream to write to. */
  const held = new Set<number>()
  const lastEvents: LastEvent[] = []
  const outcome = deferred<Outcome>()
  const done = deferred<void>()
  const aborted = deferred<void>()
  const queue = writeQueue()
  let opening: Promise<number> | undefined
  let openedAt: number | undefined
  let timer: NodeJS.Timeout | undefined
  let unwritten = requests.length
  let isDetached = false
  let isAborted = false

  function open(): Promise<number> {
    opening ??= openStream().catch((error: unknown) => {
      opening = undefined
      settlePlainly()
      throw error
    })
    return opening
  }

  async function openStream(): Promise<number> {
    clearTimeout(timer)
    const frame: OpeningFrame = { requests: requests.map(({ id }) => id), node }
    // Together: the frame may be there first, but no client can name its stream before both are.
    const [appended, beating] = await Promise.allSettled([
      log.append(sessionId, internalStreams.opened, JSON.stringify(frame), { announced: false }),
      heartbeats.hold(),
    ])
    if (beating.status === 'fulfilled') void done.promise.then(heartbeats.release)
    for (const part of [appended, beating]) if (part.status === 'rejected') throw part.reason
    const sequence = appended.status === 'fulfilled' ? appended.value : undefined
    if (sequence === undefined) throw new SessionEnded()
    openedAt = sequence
    for (const index of held) void queue.atLast(() => writeEnd(index))
    held.clear()
    outcome.resolve({ as: 'stream', opening: sequence })
    return sequence
  }

  /** Where the log cannot be written the call stays a plain one: it runs already, and may still be answered as JSON. */
  async function becomeStream(): Promise<number | undefined> {
    return open().catch(() => undefined)
  }

  function settlePlainly(): void {
    if (ends.includes(undefined)) return
    clearTimeout(timer)
    outcome.resolve({ as: 'json', answers: ends.filter((last) => last !== undefined && last !== 'cancelled') })
    done.resolve()
  }

  async function end(index: number, last: JsonRpcResponse | 'cancelled'): Promise<void> {
    if (index < 0 || ends[index] !== undefined) return
    ends[index] = last
    if (opening !== undefined) return queue.atLast(() => writeEnd(index))
    held.add(index)
    settlePlainly()
  }

  async function writeEnd(index: number): Promise<void> {
    const at = await opening?.catch(() => undefined)
    if (at === undefined) {
      held.add(index)
      return
    }
    const last = ends[index]
    const data = last === undefined || last === 'cancelled' ? '' : JSON.stringify(last)
    await keepEnd(at, endKey(at, index), data, requests[index]?.id ?? '')
    unwritten -= 1
    if (unwritten === 0) done.resolve()
  }

  /** Until the log has taken it, for about as long as a client waits: whoever resumes the stream elsewhere gets it from there only. */
  async function keepEnd(at: number, key: string, answer: string, id: RequestId): Promise<void> {
    let data = answer
    let isDelivered = false
    for (const delayMs of [...retryDelaysMs, undefined]) {
      try {
        const sequence = await log.append(sessionId, streamName(at), data, { key, announced: !streams.has(sessionId, at) })
        if (sequence !== undefined) lastEvents.push({ sequence, key, data })
        return
      } catch (error) {
        // Whoever listens on this node gets it all the same, without an id to resume from.
        isDelivered ||= answer !== '' && streams.finish(sessionId, at, answer)
        if (SessionError.is(error, 'MCP_SESSION_TOO_LARGE')) data = JSON.stringify(failedAnswer(id, 'The answer is too large to be kept'))
        if (isAborted || delayMs === undefined) {
          if (!isDelivered && answer !== '') onLost(error)
          return
        }
        await Promise.race([aborted.promise, passing(delayMs)])
      }
    }
  }

  return {
    outcome: outcome.promise,
    done: done.promise,
    opening: () => openedAt,
    async start(jsonWaitMs) {
      if (jsonWaitMs === 0) await open()
      else timer = setTimeout(() => void becomeStream(), jsonWaitMs)
    },
    relate: (message) =>
      queue.inTurn(async () => {
        const at = await open()
        const announced = !streams.has(sessionId, at)
        if ((await log.append(sessionId, streamName(at), JSON.stringify(message), { announced })) === undefined) throw new SessionEnded()
      }),
    answer(response) {
      return end(
        requests.findIndex(({ id }) => id === response.id),
        response,
      )
    },
    lastEvents: () => lastEvents,
    async confirm(question) {
      if (openedAt === undefined) return
      const key = runningKey(
        question,
        [...requests.keys()].filter((index) => ends[index] === undefined),
      )
      await log.append(sessionId, streamName(openedAt), '', { key })
    },
    cancel(id) {
      return end(
        requests.findIndex((request) => request.id === id),
        'cancelled',
      )
    },
    detach() {
      isDetached = true
      void becomeStream().then((at) => at !== undefined && streams.end(sessionId, at))
    },
    isDetached: () => isDetached,
    async abort() {
      clearTimeout(timer)
      isAborted = true
      aborted.resolve()
      queue.close()
      outcome.resolve({ as: 'ended' })
      if (opening !== undefined) {
        for (const [index, { id }] of requests.entries()) void end(index, orphanAnswer(id))
        // Ends that were on their way before are waited for as well.
        await queue.atLast(async () => {})
      }
      done.resolve()
    },
  }
}

/** Between two tries to write the end of a call, in ms: a minute in all. */
const retryDelaysMs = [100, 300, 1_000, 3_000, 6_000, 10_000, 20_000, 20_000]

function passing(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
