/** A session as hooks see it. */
export interface SessionEvent {
  readonly sessionId: string
  /** The JSON text of the principal that the session is bound to; null: anonymous. */
  readonly owner: string | null
}

/**
 * Told what happens to sessions, for logs and metrics. Called on the node where it happens, after it has; what a hook throws goes to
 * `onError` and changes nothing.
 */
export interface SessionHooks {
  /** A client got a new session. */
  created?(event: SessionEvent): unknown
  /** A server was made for a session that this node had no live server for. */
  restored?(event: SessionEvent): unknown
  /**
   * A session has expired while this node had a live server or an open stream for it. Sessions that lie dormant expire unseen: the
   * store's `metrics()` count them.
   */
  expired?(event: SessionEvent): unknown
  /** A session was ended here: by its client's DELETE, by the server, through `handler.sessions`, or by `maxSessionsPerPrincipal`. */
  terminated?(event: SessionEvent & { readonly by: EndedBy }): unknown
  /** A call got an error as its answer, since the server that ran it is gone. Two nodes that find it at once may both say so. */
  orphaned?(event: SessionEvent & { readonly requestId: string | number }): unknown
  /** A client resumed a stream of which retention has taken something that it has not seen. */
  trimmed?(event: SessionEvent & { readonly stream: 'standalone' | 'call' }): unknown
}

/** The client's DELETE, `session.terminate()`, `handler.sessions`, `maxSessionsPerPrincipal`. */
export type EndedBy = 'client' | 'server' | 'application' | 'limit'

export type Hook = keyof SessionHooks

/** The hooks of a handler, made harmless. */
export interface Hooks {
  fire<H extends Hook>(hook: H, event: Parameters<NonNullable<SessionHooks[H]>>[0]): void
}

export const hookNames: readonly Hook[] = ['created', 'restored', 'expired', 'terminated', 'orphaned', 'trimmed']

export function harmlessHooks(given: SessionHooks, onError: (error: unknown) => void): Hooks {
  return {
    fire(hook, event) {
      const told: ((event: never) => unknown) | undefined = given[hook]
      if (told === undefined) return
      void (async () => told.call(given, event as never))().catch(onError)
    },
  }
}
