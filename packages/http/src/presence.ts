import type { Session, Sessions } from '@mcp-session/core'

/** An open stream or a busy server of one session: it counts as access, and notices when the session has ended. */
export interface Presence {
  /** Called at every look at the log; counts as access now and then. */
  look(): void
  /** The session is not there any more: whether it has expired, as far as this node knows, is told once. */
  gone(): void
}

export type Present = Pick<Session<unknown>, 'id' | 'owner' | 'ttlMs' | 'mustEndAt' | 'expiresAt'>

export interface PresenceOptions {
  readonly sessions: Pick<Sessions<unknown>, 'touch'>
  /** The handler's clock. */
  readonly now: () => number
  readonly onExpired: (session: Present) => void
}

/** Sessions that were told to have expired lately: a server and a stream of one session notice it both. */
const rememberedIds = 1_000

export function presences({ sessions, now, onExpired }: PresenceOptions): (session: Present) => Presence {
  const told = new Set<string>()

  function tell(session: Present): void {
    if (told.has(session.id)) return
    told.add(session.id)
    for (const oldest of told) {
      if (told.size <= rememberedIds) break
      told.delete(oldest)
    }
    onExpired(session)
  }

  return (session) => {
    const everyMs = Math.max(1, Math.min(session.ttlMs / 4, 60_000))
    let countedAt = now()
    let expiresAt = session.expiresAt
    return {
      look() {
        const at = now()
        if (at - countedAt < everyMs) return
        countedAt = at
        const counted = (wasThere: boolean): void => {
          if (wasThere) expiresAt = Math.max(expiresAt, Math.min(at + session.ttlMs, session.mustEndAt))
        }
        // In an outage the next look counts.
        sessions.touch(session.id).then(counted, () => {})
      },
      gone() {
        if (now() >= expiresAt) tell(session)
      },
    }
  }
}
