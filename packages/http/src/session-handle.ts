import type { AsyncLocalStorage } from 'node:async_hooks'
import type { Metadata, Session, Sessions } from '@mcp-session/core'
import { SessionEnded } from './session-ended.ts'

/** The session as tools see it. One object serves a session for as long as its live server lives. */
export interface SessionHandle<M = Metadata> {
  readonly id: string
  /** The JSON text of the principal that the session is bound to; null: anonymous. */
  readonly owner: string | null
  /**
   * Frozen. While a request of the client runs: as it was when the request came, moved on by `refresh` and `update` of the same
   * request. Outside of requests: the newest that this node has seen.
   */
  readonly metadata: M
  /** Reads the session from the store. Rejects with `MCP_SESSION_CLOSED` where it has ended. */
  refresh(): Promise<M>
  /**
   * Replaces metadata by what `fn` makes of the stored value; atomic across nodes. `fn` is synchronous and may run again. What it
   * throws is rethrown and nothing is written. Rejects with `MCP_SESSION_CLOSED` where the session has ended.
   */
  update(fn: (metadata: M) => M): Promise<M>
  /** Ends the session on every node: from now on its id is unknown. False: it had ended before. */
  terminate(): Promise<boolean>
}

/** What a request sees of its session. */
export interface RequestScope<M> {
  snapshot: Session<M>
  /** The request is answered: what still runs on its behalf sees the newest, as everybody outside of requests. */
  isOver: boolean
}

export interface SessionHandleOptions<M> {
  readonly session: Session<M>
  readonly sessions: Sessions<M>
  readonly scopes: AsyncLocalStorage<RequestScope<M>>
  /** Ends everything of the session that lives on this node, and tells the others. */
  readonly onTerminated: (wasThere: boolean) => void
}

/** A handle, and the way to show it newer snapshots. */
export interface HeldSession<M> {
  readonly handle: SessionHandle<M>
  see(session: Session<M>): void
}

export function holdSession<M>({ session, sessions, scopes, onTerminated }: SessionHandleOptions<M>): HeldSession<M> {
  const { id, owner } = session
  let newest = session

  function see(seen: Session<M>): void {
    newest = seen
    const scope = scopes.getStore()
    if (scope !== undefined && scope.snapshot.id === id) scope.snapshot = seen
  }

  function seen(found: Session<M> | undefined): M {
    if (found === undefined) throw new SessionEnded()
    see(found)
    return found.metadata
  }

  return {
    see,
    handle: {
      id,
      owner,
      get metadata() {
        const scope = scopes.getStore()
        const isInside = scope !== undefined && !scope.isOver && scope.snapshot.id === id
        return isInside ? scope.snapshot.metadata : newest.metadata
      },
      async refresh() {
        return seen(await sessions.retrieve(id, { owner }))
      },
      async update(fn) {
        return seen(await sessions.update(id, fn, { owner }))
      },
      async terminate() {
        const wasThere = await sessions.delete(id, { owner })
        onTerminated(wasThere)
        return wasThere
      },
    },
  }
}
