import type { Session } from '@mcp-session/core'
import type { Exchange } from './exchange.ts'
import type { Heartbeats } from './heartbeats.ts'
import { connectServer, type LiveServer } from './live-server.ts'
import { readProtocolState, storedState } from './protocol-state.ts'
import type { Runtime } from './runtime.ts'
import { holdSession } from './session-handle.ts'
import type { WakeUps } from './wake-ups.ts'

export interface ConnectingOptions<M> {
  readonly runtime: Omit<Runtime<M>, 'connect'>
  readonly heartbeats: Heartbeats
  readonly wakeUps: WakeUps
  /** The application has ended the session from within. */
  readonly onTerminated: (session: Session<M>, wasThere: boolean) => void
}

/** How servers of sessions are made on this node. */
export function connecting<M>({ runtime, heartbeats, wakeUps, onTerminated }: ConnectingOptions<M>): Runtime<M>['connect'] {
  const { options, sessions, scopes, node, log, streams, live } = runtime

  async function load(sessionId: string) {
    return readProtocolState((await sessions.retrieve(sessionId))?.context)
  }

  return async function connect(session: Session<M>, { authInfo }: Exchange): Promise<LiveServer<M>> {
    const terminated = (wasThere: boolean): void => {
      live.closeWhenDrained(session.id).catch(options.onError)
      onTerminated(session, wasThere)
    }
    return connectServer<M>({
      session,
      held: holdSession({ session, sessions, scopes, onTerminated: terminated }),
      authInfo,
      factory: options.server,
      node,
      log,
      streams,
      heartbeats,
      wakeUps,
      onError: options.onError,
      presence: runtime.presence(session),
      onClosed: live.forget,
      load: () => load(session.id),
      async store(change) {
        const stored = await sessions.updateContext(session.id, (context) => {
          const state = readProtocolState(context)
          return state === undefined ? context : storedState(change(state))
        })
        return stored !== undefined
      },
    })
  }
}
