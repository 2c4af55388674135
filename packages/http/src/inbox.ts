import type { EventLog } from './event-log.ts'
import { internalStreams } from './event-log.ts'
import { isPlainObject, type JsonRpcMessage, parseBody } from './json-rpc.ts'
import type { ServerLink } from './server-link.ts'
import type { WakeUps } from './wake-ups.ts'

/** What lies in the log for live servers on other nodes. */
interface InboxFrame {
  /** A client's message. Absent: the stored protocol state has changed. */
  readonly message?: JsonRpcMessage
  /** Nonce of the live server that knows already. */
  readonly from?: string
}

/**
 * Passes a message on to whichever node has the server that it is for; `knownBy` is the nonce of a server that has it already.
 * False: the session has ended.
 */
export async function forward(log: EventLog, sessionId: string, message: JsonRpcMessage, knownBy?: string): Promise<boolean> {
  return put(log, sessionId, knownBy === undefined ? { message } : { message, from: knownBy })
}

/** Tells the live servers of other nodes that log level or subscriptions have changed. False: the session has ended. */
export function announceState(log: EventLog, sessionId: string, knownBy: string): Promise<boolean> {
  return put(log, sessionId, { from: knownBy })
}

async function put(log: EventLog, sessionId: string, frame: InboxFrame): Promise<boolean> {
  return (await log.append(sessionId, internalStreams.inbox, JSON.stringify(frame))) !== undefined
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

export interface InboxOptions {
  readonly sessionId: string
  readonly log: EventLog
  readonly wakeUps: WakeUps
  readonly link: ServerLink
  /** Another live server has changed the stored protocol state. Never rejects. */
  readonly onStateChanged: () => Promise<void>
  /** Called at every look while the server is busy. */
  readonly onUsed: () => void
  /** The session has ended, here or on another node. */
  readonly onGone: () => void
}

/** What lies in a session's inbox from one moment on, for one live server. */
export interface Inbox {
  /** Begins to hand it over: once the server knows the session. */
  attend(): void
  close(): void
}

/**
 * Opens the session's inbox for one live server, from now on. It is also how the server learns that its session has ended.
 * `undefined`: it has ended already.
 */
export async function openInbox(options: InboxOptions): Promise<Inbox | undefined> {
  const { sessionId, log, wakeUps, link, onUsed, onGone } = options
  const start = await log.read(sessionId, internalStreams.inbox, Number.MAX_SAFE_INTEGER, 1)
  if (start === undefined) return undefined
  const watch = wakeUps.watch(sessionId)
  const { last } = start

  async function tail(from: number): Promise<void> {
    let after = from
    while (await watch.next()) {
      if (link.isBusy()) onUsed()
      const page = await log.read(sessionId, internalStreams.inbox, after).catch(() => 'outage' as const)
      if (page === 'outage') continue
      if (page === undefined) return onGone()
      for (const event of page.events) {
        after = event.sequence
        await take(event.data)
      }
    }
  }

  async function take(data: string): Promise<void> {
    const frame: unknown = JSON.parse(data)
    if (!isPlainObject(frame) || frame['from'] === link.nonce) return
    if (frame['message'] === undefined) return options.onStateChanged()
    const parsed = parseBody({ value: frame['message'] })
    const message = parsed.ok ? parsed.messages[0] : undefined
    if (message !== undefined && link.isAddressee(message)) link.deliver(message)
  }

  return { attend: () => void tail(last), close: watch.close }
}
