import type { Session } from '@mcp-session/core'
import { cursorsOf } from './cursors.ts'
import type { StreamQuery } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import type { Runtime } from './runtime.ts'

/** What every SSE response of a session has, whatever it is a tail of. */
export function streamQuery<M>(
  runtime: Runtime<M>,
  { authInfo }: Exchange,
  session: Session<M>,
): Pick<StreamQuery, 'sessionId' | 'presence' | 'cursors' | 'endsAt'> {
  const { id: sessionId } = session
  const common = { sessionId, presence: runtime.presence(session), cursors: cursorsOf(sessionId) }
  // Seconds since the epoch, as in the SDKs' AuthInfo.
  return typeof authInfo?.expiresAt === 'number' ? { ...common, endsAt: authInfo.expiresAt * 1_000 } : common
}
