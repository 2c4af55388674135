import { randomBytes } from 'node:crypto'
import type { Metadata, Session } from '@mcp-session/core'
import type { EventLog } from './event-log.ts'
import { openInbox } from './inbox.ts'
import type { JsonRpcRequest } from './json-rpc.ts'
import type { OpenStreams } from './open-streams.ts'
import type { AuthInfo } from './principal.ts'
import { type ProtocolState, stateAfter } from './protocol-state.ts'
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
  readonly wakeUps: WakeUps
  /** Stores what a successful request changed in the protocol state. */
  readonly store: (sessionId: string, change: (state: ProtocolState) => ProtocolState) => Promise<void>
  readonly onError: (error: unknown) => void
  /** Called now and then while the server is busy: a running call counts as access. */
  readonly onUsed: () => void
  readonly onClosed: (live: LiveServer<M>) => void
}

/** Makes a server through the factory and connects it. It has heard nothing yet, not even `initialize`. */
export async function connectServer<M>(options: LiveServerOptions<M>): Promise<LiveServer<M>> {
  const { session, held, authInfo, factory, node, log, streams, wakeUps, onError, onClosed } = options
  const server = await factory({ session: held.handle, authInfo })
  const link = serverLink({
    sessionId: session.id,
    node,
    nonce: randomBytes(12).toString('base64url'),
    log,
    streams,
    onAnswered: keepState,
    onLost: onError,
    onClose() {
      inbox?.close()
      onClosed(live)
    },
  })
  const live: LiveServer<M> = { sessionId: session.id, link, see: held.see, state: undefined, isEnding: false, close }
  let inbox: { close(): void } | undefined

  /** What the client set by a request that has just succeeded is stored before it learns of the success. */
  async function keepState({ method, params }: JsonRpcRequest): Promise<void> {
    if (live.state === undefined) return
    const told = stateAfter(live.state, method, params)
    if (told === live.state) return
    await options.store(session.id, (state) => stateAfter(state, method, params))
    live.state = told
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
      onUsed: options.onUsed,
      onGone() {
        if (!live.isEnding) void close()
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
