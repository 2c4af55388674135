import type { AsyncLocalStorage } from 'node:async_hooks'
import type { Session, Sessions } from '@mcp-session/core'
import type { CreateLimit } from './create-rate.ts'
import type { EventLog } from './event-log.ts'
import type { Exchange } from './exchange.ts'
import type { EndedBy, Hooks } from './hooks.ts'
import type { LiveServer } from './live-server.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { OpenStreams } from './open-streams.ts'
import type { CheckedOptions } from './options.ts'
import type { Orphans } from './orphans.ts'
import type { Presence, Present } from './presence.ts'
import type { PrincipalLimit } from './principal-limit.ts'
import type { RequestScope } from './session-handle.ts'

/** What the answers to all requests of one handler share. */
export interface Runtime<M> {
  readonly options: CheckedOptions<M>
  readonly sessions: Sessions<M>
  readonly log: EventLog
  readonly streams: OpenStreams
  readonly live: LiveSessions<M>
  readonly scopes: AsyncLocalStorage<RequestScope<M>>
  /** Nonce of this node. */
  readonly node: string
  readonly orphans: Orphans
  readonly hooks: Hooks
  /** What follows a session's end by this node's doing: the other nodes are told, and the hook. */
  ended(session: Pick<Session<M>, 'id' | 'owner'>, by: EndedBy): void
  readonly createLimit: CreateLimit
  readonly principalLimit: PrincipalLimit
  /** For one open stream or live server. */
  presence(session: Present): Presence
  /** A fresh server for a session, connected; see `restoreServer` for what comes next, and then `attend`. */
  connect(session: Session<M>, exchange: Exchange): Promise<LiveServer<M>>
}
