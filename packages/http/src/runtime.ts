import type { AsyncLocalStorage } from 'node:async_hooks'
import type { Session, Sessions } from '@mcp-session/core'
import type { EventLog } from './event-log.ts'
import type { Exchange } from './exchange.ts'
import type { LiveServer } from './live-server.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { OpenStreams } from './open-streams.ts'
import type { CheckedOptions } from './options.ts'
import type { RequestScope } from './session-handle.ts'

/** What the answers to all requests of one handler share. */
export interface Runtime<M> {
  readonly options: CheckedOptions<M>
  readonly sessions: Sessions<M>
  readonly log: EventLog
  readonly streams: OpenStreams
  readonly live: LiveSessions<M>
  readonly scopes: AsyncLocalStorage<RequestScope<M>>
  /** A fresh server for a session, connected; see `restoreServer` for what comes next. */
  connect(session: Session<M>, exchange: Exchange): Promise<LiveServer<M>>
}
