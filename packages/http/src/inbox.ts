import type { EventLog } from './event-log.ts'
import { internalStreams } from './event-log.ts'
import { isPlainObject, type JsonRpcMessage, parseBody } from './json-rpc.ts'
import type { ServerLink } from './server-link.ts'
import type { WakeUps } from './wake-ups.ts'

/** A client's message for a live server on another node, as it lies in the log. */
interface InboxFrame {
  readonly message: JsonRpcMessage
}

/** Passes a message on to whichever node has the server that it is for. False: the session has ended. */
export async function forward(log: EventLog, sessionId: string, message: JsonRpcMessage): Promise<boolean> {
  const frame: InboxFrame = { message }
  return (await log.append(sessionId, internalStreams.inbox, JSON.stringify(frame))) !== undefined
}

/** Whether a message is for one server only, wherever that lives: answers, and what concerns one request. */
export function isForOneServer(message: JsonRpcMessage): boolean {
  if (!('method' in message)) return true
  return message.method === 'notifications/cancelled' || message.method === 'notifications/progress'
}

export interface InboxOptions {
  readonly sessionId: string
  readonly log: EventLog
  readonly wakeUps: WakeUps
  readonly link: ServerLink
  /** Called at every look while the server is busy. */
  readonly onUsed: () => void
  /** The session has ended, here or on another node. */
  readonly onGone: () => void
}

/** Reads the session's inbox for one live server, from now on. It is also how the server learns that its session has ended. */
export async function openInbox({ sessionId, log, wakeUps, link, onUsed, onGone }: InboxOptions): Promise<{ close(): void } | undefined> {
  const start = await log.read(sessionId, internalStreams.inbox, Number.MAX_SAFE_INTEGER, 1)
  if (start === undefined) return undefined
  const watch = wakeUps.watch(sessionId)
  void tail(start.last)

  async function tail(from: number): Promise<void> {
    let after = from
    while (await watch.next()) {
      if (link.isBusy()) onUsed()
      const page = await log.read(sessionId, internalStreams.inbox, after).catch(() => 'outage' as const)
      if (page === 'outage') continue
      if (page === undefined) return onGone()
      for (const event of page.events) {
        after = event.sequence
        const message = messageOf(event.data)
        if (message !== undefined && link.isAddressee(message)) link.deliver(message)
      }
    }
  }

  return watch
}

function messageOf(data: string): JsonRpcMessage | undefined {
  const frame: unknown = JSON.parse(data)
  if (!isPlainObject(frame)) return undefined
  const parsed = parseBody({ value: frame['message'] })
  return parsed.ok ? parsed.messages[0] : undefined
}
