import { type EventLog, inboxStream } from './event-log.ts'
import { isPlainObject, isRequestId, type JsonRpcMessage, parseBody } from './json-rpc.ts'
import { isMadeHere } from './request-ids.ts'
import type { ServerLink } from './server-link.ts'
import type { WakeUps } from './wake-ups.ts'

/** What lies in the log for live servers on other nodes. */
type InboxFrame =
  /** A client's message; `from` is the nonce of a live server that has it already. */
  | { readonly message: JsonRpcMessage; readonly from?: string }
  /** The stored protocol state has changed. */
  | { readonly changed: true }
  /** Whether the calls of that stream still run. */
  | { readonly asks: Question }

export interface Question {
  readonly opening: number
  readonly id: string
}

/**
 * Passes a message on to whichever node has the server that it is for; `knownBy` is the nonce of a server that has it already.
 * False: the session has ended.
 */
export async function forward(log: EventLog, sessionId: string, message: JsonRpcMessage, knownBy?: string): Promise<boolean> {
  return put(log, sessionId, knownBy === undefined ? { message } : { message, from: knownBy })
}

/** Tells the live servers of all nodes that log level or subscriptions have changed. False: the session has ended. */
export function announceState(log: EventLog, sessionId: string): Promise<boolean> {
  return put(log, sessionId, { changed: true })
}

/** Asks the node that runs the calls of a stream to say so in the log. False: the session has ended. */
export function askWhetherRunning(log: EventLog, sessionId: string, asks: Question): Promise<boolean> {
  return put(log, sessionId, { asks })
}

async function put(log: EventLog, sessionId: string, frame: InboxFrame): Promise<boolean> {
  return (await log.append(sessionId, inboxStream, JSON.stringify(frame))) !== undefined
}

/** Whether a message is for one server only, wherever that lives: answers, and what concerns one request. */
export function isForOneServer(message: JsonRpcMessage): boolean {
  if (!('method' in message)) return true
  return message.method === 'notifications/cancelled' || message.method === 'notifications/progress'
}

/** Whether a message concerns every live server of the session, not just the one that happens to get it. */
export function isForAllServers(message: JsonRpcMessage): boolean {
  return 'method' in message && message.method === 'notifications/roots/list_changed'
}

/**
 * What of a client's message is worth passing on: `undefined` where no server can wait for it. What nobody reads would stay in the
 * log, so an answer has to bear an id that a live server made, and a cancellation bears no more than it needs.
 */
export function forwardable(message: JsonRpcMessage): JsonRpcMessage | undefined {
  if (!('method' in message)) return isMadeHere(message.id) ? message : undefined
  if (message.method === 'notifications/progress') return isMadeHere(message.params?.['progressToken']) ? message : undefined
  if (message.method !== 'notifications/cancelled') return message
  const { requestId, reason } = message.params ?? {}
  if (!isRequestId(requestId)) return undefined
  const cut = typeof reason === 'string' ? { reason: reason.slice(0, maxReasonLength) } : {}
  return { jsonrpc: '2.0', method: message.method, params: { requestId, ...cut } }
}

const maxReasonLength = 1_000

export interface InboxOptions {
  readonly sessionId: string
  readonly log: EventLog
  readonly wakeUps: WakeUps
  readonly link: ServerLink
  /** The stored protocol state has changed. Messages go on meanwhile: what catches up may have to ask the client. */
  readonly onStateChanged: () => void
  /** Called at every look while the server is busy. */
  readonly onUsed: () => void
  /** The session has ended, here or on another node. */
  readonly onGone: () => void
  readonly onError: (error: unknown) => void
}

/** What lies in a session's inbox from one moment on, for one live server. */
export interface Inbox {
  /** The server knows the session: changes of the protocol state count from now on, those that came before first. */
  attend(): void
  close(): void
}

/**
 * Opens the session's inbox for one live server, from now on. It is also how the server learns that its session has ended.
 * `undefined`: it has ended already.
 */
export async function openInbox(options: InboxOptions): Promise<Inbox | undefined> {
  const { sessionId, log, wakeUps, link, onUsed, onGone, onStateChanged, onError } = options
  const start = await log.read(sessionId, inboxStream, Number.MAX_SAFE_INTEGER, 1)
  if (start === undefined) return undefined
  const watch = wakeUps.watch(sessionId)
  let isAttended = false
  let isStale = false
  void tail(start.last).catch(onError)

  async function tail(from: number): Promise<void> {
    let after = from
    while (await watch.next()) {
      if (link.isBusy()) onUsed()
      for (let isMore = true; isMore; ) {
        const page = await log.read(sessionId, inboxStream, after).catch(() => 'outage' as const)
        if (page === 'outage') break
        if (page === undefined) return onGone()
        for (const event of page.events) await take(event.data).catch(onError)
        isMore = page.events.length > 0
        // Other streams of the session move it on as well: see event-stream.ts.
        after = page.events.at(-1)?.sequence ?? (page.trimmed ? after : Math.max(after, page.last))
      }
    }
  }

  async function take(data: string): Promise<void> {
    const frame: unknown = JSON.parse(data)
    if (!isPlainObject(frame)) return
    const { message, from, changed, asks } = frame
    if (changed === true) {
      if (isAttended) onStateChanged()
      else isStale = true
    }
    if (isPlainObject(asks) && typeof asks['id'] === 'string') await link.callOf(Number(asks['opening']))?.confirm(asks['id'])
    if (message === undefined || from === link.nonce) return
    const parsed = parseBody({ value: message })
    const given = parsed.ok ? parsed.messages[0] : undefined
    if (given !== undefined && link.isAddressee(given)) link.deliver(given)
  }

  return {
    attend() {
      isAttended = true
      if (isStale) onStateChanged()
    },
    close: watch.close,
  }
}
