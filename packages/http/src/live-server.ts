import { randomBytes } from 'node:crypto'
import { type Metadata, type Session, SessionError } from '@mcp-session/core'
import type { EventLog } from './event-log.ts'
import type { Heartbeats } from './heartbeats.ts'
import { announceState, type Inbox, openInbox } from './inbox.ts'
import type { JsonRpcRequest } from './json-rpc.ts'
import type { OpenStreams } from './open-streams.ts'
import type { Presence } from './presence.ts'
import type { AuthInfo } from './principal.ts'
import { changesState, type ProtocolState, stateAfter } from './protocol-state.ts'
import { catchUp } from './restore.ts'
import { type ServerLink, serverLink } from './server-link.ts'
import { SessionEnded } from './session-ended.ts'
import type { HeldSession, SessionHandle } from './session-handle.ts'
import type { ConnectableServer } from './session-transport.ts'
import type { WakeUps } from './wake-ups.ts'

/** Makes the server of one session; called once per live session and node, and again wherever the session is restored. */
export type ServerFactory<M = Metadata> = (context: {
  readonly session: SessionHandle<M>
  /** Of the request that made the server necessary; later requests bring their own. */
  readonly authInfo: AuthInfo | undefined
}) => ConnectableServer | Promise<ConnectableServer>

/** A server in the memory of this node that serves one session. */
export interface LiveServer<M = Metadata> {
  readonly sessionId: string
  readonly link: ServerLink
  /** Shows the server's session object a newer snapshot. */
  see(session: Session<M>): void
  /** The protocol state that this server has been told. */
  state: ProtocolState | undefined
  /** Its session has ended by its own wish: running calls may still answer, and then it is closed. */
  isEnding: boolean
  /** Begins to take messages and changes from other nodes: once it knows the session. */
  attend(): void
  /** Ends its calls, and closes what the factory made. */
  close(): Promise<void>
}

export interface LiveServerOptions<M> {
  readonly session: Session<M>
  readonly held: HeldSession<M>
  readonly authInfo: AuthInfo | undefined
  readonly factory: ServerFactory<M>
  readonly node: string
  readonly log: EventLog
  readonly streams: OpenStreams
  readonly heartbeats: Pick<Heartbeats, 'hold' | 'release'>
  readonly wakeUps: WakeUps
  /** Stores what a successful request changed in the protocol state. False: the session has ended. */
  readonly store: (change: (state: ProtocolState) => ProtocolState) => Promise<boolean>
  /** The stored protocol state; `undefined`: the session has ended. */
  readonly load: () => Promise<ProtocolState | undefined>
  readonly onError: (error: unknown) => void
  /** A running call counts as access. */
  readonly presence: Presence
  readonly onClosed: (live: LiveServer<M>) => void
}

/** Of one session: each is told to every server that is made for it. */
const maxSubscriptions = 1_000

function tooManySubscriptions(): SessionError {
  return new SessionError('MCP_SESSION_LIMIT', `A session has at most ${maxSubscriptions} resource subscriptions`)
}

/** Makes a server through the factory and connects it. It has heard nothing yet, not even `initialize`. */
export async function connectServer<M>(options: LiveServerOptions<M>): Promise<LiveServer<M>> {
  const { session, held, authInfo, factory, node, log, streams, heartbeats, wakeUps, onError, onClosed } = options
  const server = await factory({ session: held.handle, authInfo })
  const link = serverLink({
    sessionId: session.id,
    node,
    nonce: randomBytes(12).toString('base64url'),
    log,
    streams,
    heartbeats,
    onAnswered: keepState,
    onLost: onError,
    onClose() {
      inbox?.close()
      onClosed(live)
    },
  })
  const live: LiveServer<M> = {
    sessionId: session.id,
    link,
    see: held.see,
    state: undefined,
    isEnding: false,
    attend: () => inbox?.attend(),
    close,
  }
  let inbox: Inbox | undefined
  let reading: Promise<void> = Promise.resolve()
  /** How many changes of this server's client were to be stored so far, and until when. */
  let changes = 0
  let storing: Promise<unknown> = Promise.resolve()

  /** What the client set by a request that has just succeeded is stored before it learns of the success, and told to other nodes. */
  async function keepState({ method, params }: JsonRpcRequest): Promise<void> {
    if (live.state === undefined || !changesState(method)) return
    // What this server has been told; a change of another node comes through the inbox.
    live.state = stateAfter(live.state, method, params)
    if (live.state.subscriptions.length > maxSubscriptions) throw tooManySubscriptions()
    changes += 1
    const stored = options.store((state) => stateAfter(state, method, params))
    storing = Promise.allSettled([storing, stored])
    if (!(await stored)) throw new SessionEnded()
    await announceState(log, session.id)
  }

  async function readState(): Promise<void> {
    try {
      let stored: ProtocolState | undefined
      let known: number
      // What is being stored meanwhile it may lack, and would take back.
      do {
        known = changes
        await storing
        stored = await options.load()
      } while (changes > known)
      if (stored !== undefined) await catchUp(live, stored)
    } catch (error) {
      if (!(error instanceof SessionEnded)) onError(error)
    }
  }

  /** One after the other. This server's own changes come this way as well: a value that was read before them must not have the last word. */
  function onStateChanged(): void {
    reading = reading.then(readState)
  }

  async function close(): Promise<void> {
    try {
      await server.close()
    } catch (error) {
      onError(error)
    }
    // A server whose close does not reach its transport must not keep the session's calls waiting.
    await link.transport.close()
  }

  try {
    inbox = await openInbox({
      sessionId: session.id,
      log,
      wakeUps,
      link,
      onStateChanged,
      onError,
      onUsed: options.presence.look,
      onGone() {
        if (live.isEnding) return
        options.presence.gone()
        void close()
      },
    })
    if (inbox === undefined) throw new SessionEnded()
    await server.connect(link.transport)
    return live
  } catch (error) {
    await close()
    throw error
  }
}
