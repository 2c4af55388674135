import { createHash, randomBytes } from 'node:crypto'
import { SessionError } from '@mcp-session/core'
import type { Retention, SessionBackend } from '@mcp-session/core/backend'
import type { JsonRpcMessage } from './json-rpc.ts'
import { openOwnLog, type StoreOptions } from './own-log.ts'

/** The SDKs' `EventStore`, of both majors, for one session. All members are safe to detach. */
export interface SessionEventStore extends AsyncDisposable {
  /** Gives the event's id, once it is stored as durably as the backend stores. Events of one object are stored in the order of the calls. */
  storeEvent(streamId: string, message: object): Promise<string>
  /** `undefined`: malformed, of another session, from the future, or nothing is stored. */
  getStreamIdForEventId(eventId: string): Promise<string | undefined>
  /**
   * Sends what is kept of the event's stream after the event, and gives the stream. Later calls of `storeEvent` wait for it.
   * `RangeError`: an id for which `getStreamIdForEventId` gives `undefined`.
   */
  replayEventsAfter(lastEventId: string, options: ReplayOptions): Promise<string>
  /** Deletes all events: for the end of the session. This object refuses later ones with `MCP_SESSION_CLOSED`. Whether there were any. */
  delete(): Promise<boolean>
  /** Waits for what was called before, then closes the store; what is stored stays. Idempotent. */
  close(): Promise<void>
}

export interface ReplayOptions {
  send(eventId: string, message: JsonRpcMessage): Promise<void>
}

export interface EventStoreOptions extends StoreOptions {
  /** What is kept. Default: 1 h, 1,000 events, 1 MiB. */
  readonly events?: Partial<Retention> | undefined
  /** Without a stored or replayed event for so long everything is gone, in milliseconds. Default 24 h. */
  readonly ttlMs?: number | undefined
  /** Between two sweeps of the backend, in milliseconds. Default 1 h, since there is a store per session; 0: others sweep. */
  readonly cleanupIntervalMs?: number | undefined
}

const hour = 60 * 60_000
const pageLimit = 100
/** What the SDKs store when they prime a stream: it has an id, and nothing to send. */
const priming = '{}'
/** No stream of the log begins with `!`, whatever streams are called: those are exempt from retention. */
const streamPrefix = 'sdk.'

/**
 * Opens the events of one session of an SDK transport, which keeps its own sessions. They live under an internal record that the first
 * event makes, and that no session id of another kind reaches.
 */
export async function createEventStore(
  backend: SessionBackend,
  sessionId: string,
  options: EventStoreOptions = {},
): Promise<SessionEventStore> {
  const { events, ttlMs = 24 * hour, cleanupIntervalMs = hour, ...store } = options
  const name = checkSessionId(sessionId)
  const log = await openOwnLog({
    backend,
    user: 'createEventStore',
    kind: '!events',
    name,
    ttlMs,
    events,
    store: { ...store, cleanupIntervalMs },
  })
  const tag = digestOf(`sdk-event\n${sessionId}`)
  const writer = randomBytes(12).toString('base64url')
  const waitMs = options.callTimeoutMs ?? 5_000
  let stored = 0
  let isDeleted = false
  let last: Promise<unknown> = Promise.resolve()
  let closing: Promise<void> | undefined

  /** One after the other: the order of the calls is the order of the log, also where the engine has to be asked again. */
  function inTurn<T>(step: () => Promise<T>): Promise<T> {
    const lateAt = performance.now() + waitMs
    const turn = last.then(() => {
      if (performance.now() >= lateAt) throw waitedTooLong(waitMs)
      return step()
    })
    last = turn.catch(() => {})
    return turn
  }

  /** The place that an event id stands for; `undefined` where it can be none of this session. */
  async function find(eventId: string): Promise<{ readonly streamId: string; readonly after: number } | undefined> {
    const [, sequence = '', of = '', session, stream = ''] = /^(\d{1,16})\.([\w-]{8})\.([\w-]{8})\.([\w-]+)$/.exec(eventId) ?? []
    if (session !== tag) return undefined
    // No event is asked for: only where the log ends.
    const page = await log.read({ after: Number.MAX_SAFE_INTEGER, limit: 1 })
    if (page === undefined) return undefined
    const streamId = Buffer.from(stream, 'base64url').toString()
    // The event's log has expired, and another one has begun: nobody has seen anything of it.
    if (of !== digestOf(page.log)) return { streamId, after: 0 }
    return Number(sequence) <= page.last ? { streamId, after: Number(sequence) } : undefined
  }

  function idOf(place: { readonly log: string; readonly sequence: number }, streamId: string): string {
    return `${place.sequence}.${digestOf(place.log)}.${tag}.${Buffer.from(streamId).toString('base64url')}`
  }

  async function replay(eventId: string, { send }: ReplayOptions): Promise<string> {
    const place = await find(eventId)
    if (place === undefined) throw new RangeError('The event id is malformed, of another session, or of events that are gone')
    const { streamId } = place
    let { after } = place
    for (;;) {
      const page = await log.read({ streams: [streamPrefix + streamId], after, limit: pageLimit })
      if (page === undefined || page.events.length === 0) return streamId
      for (const { sequence, data } of page.events) {
        if (data !== priming) await send(idOf({ log: page.log, sequence }, streamId), JSON.parse(data))
        after = sequence
      }
    }
  }

  async function close(): Promise<void> {
    await last
    await log.close()
  }

  function closeOnce(): Promise<void> {
    closing ??= close()
    return closing
  }

  return {
    async storeEvent(streamId, message) {
      // As it is now: its turn may come later.
      const data = JSON.stringify(message)
      return inTurn(async () => {
        if (isDeleted) throw new SessionError('MCP_SESSION_CLOSED', 'The events of this session were deleted: it has ended')
        stored += 1
        return idOf(await log.append({ key: `${writer}.${stored}`, stream: streamPrefix + streamId, data }), streamId)
      })
    },
    getStreamIdForEventId: async (eventId) => (await find(eventId))?.streamId,
    replayEventsAfter: (lastEventId, options) => inTurn(() => replay(lastEventId, options)),
    delete: () =>
      inTurn(async () => {
        isDeleted = true
        return log.delete()
      }),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  }
}

/** The contract's bound on ids, less the kind. */
const maxIdLength = 240

function checkSessionId(sessionId: unknown): string {
  if (typeof sessionId !== 'string') throw new TypeError(`sessionId must be a string, not ${typeof sessionId}`)
  if (/^[\x21-\x7e]+$/.test(sessionId) && sessionId.length <= maxIdLength) return sessionId
  throw new RangeError(`sessionId must have 1 to ${maxIdLength} characters of visible ASCII (0x21–0x7E)`)
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 8)
}

function waitedTooLong(waitMs: number): SessionError {
  return new SessionError('MCP_SESSION_TIMEOUT', `The events before this one took ${waitMs} ms; it was not stored`, { retryable: true })
}
