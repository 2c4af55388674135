import { type AccessSignal, openSessions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import type { StoreOptions } from './own-log.ts'

/**
 * The `requestState` of multi-round-trip requests (2026-07-28 basic/patterns/mrtr): each text is good once, for one principal, and for a
 * while. The payload stays in the store: the client holds 256 random bits and can neither read nor change anything.
 */
export interface RequestStates<P = unknown> extends AsyncDisposable {
  /** The text for `inputRequired({ requestState })`. The payload is a value as in a session's metadata. */
  issue(payload: P, binding: RequestBinding): Promise<string>
  /**
   * The payload, to exactly one of all callers on all nodes. `undefined`: redeemed already, expired, never issued, or bound to another
   * principal or request; another principal spends nothing. Rejects where the store does not answer.
   */
  redeem(text: string, binding: RequestBinding): Promise<P | undefined>
  /** SDK v2's server option `requestState`: redeems before the handler runs, which then reads the payload from `ctx.mcpReq.requestState()`. */
  serverOption(binding: RequestBinding): { readonly verify: (text: string) => Promise<P> }
  /** Closes the store. Idempotent. */
  close(): Promise<void>
}

export interface RequestBinding extends AccessSignal {
  /** Who asks, such as `await handler.ownerOf(authInfo)`; null: anonymous, so anybody who has the text. */
  readonly owner: string | null
  /** What is asked for: the method, the tool, and what of its arguments must not change. Default: the payload says, or it does not matter. */
  readonly request?: string | undefined
}

export interface RequestStatesOptions extends StoreOptions {
  /** How long a text can be redeemed, in milliseconds. Default 10 min. */
  readonly ttlMs?: number | undefined
  /** What the texts begin with; stores of different kinds do not know each other's. Default `rs`. */
  readonly kind?: string | undefined
}

interface StoredState {
  readonly payload: unknown
  readonly request: string | null
}

/** Opens the request states of a backend. `TypeError` and `RangeError` name a bad option; what the backend's `open` throws is a `SessionError`. */
export async function createRequestStates<P = unknown>(
  backend: SessionBackend,
  options: RequestStatesOptions = {},
): Promise<RequestStates<P>> {
  const { ttlMs = 10 * 60_000, kind = 'rs', ...store } = options
  const states = await openSessions<StoredState>({ ...store, backend, kind, ttlMs, cacheBytes: 0 })

  async function redeem(text: string, { owner, request, signal }: RequestBinding): Promise<P | undefined> {
    const state = await states.consume(text, { owner, signal })
    // Whoever shows it with another request has spent it: it was theirs.
    return state?.metadata.request === (request ?? null) ? (state.metadata.payload as P) : undefined
  }

  return {
    async issue(payload, { owner, request, signal }) {
      if (payload === undefined) throw new TypeError('payload must be a value: undefined is what a refused state redeems to')
      return (await states.create({ payload, request: request ?? null }, { owner, signal })).id
    },
    redeem,
    serverOption: (binding) => ({
      async verify(text) {
        const payload = await redeem(text, binding)
        // The SDK answers −32602 "Invalid or expired requestState", whatever this says.
        if (payload === undefined) throw new Error('The request state is spent, expired, unknown, or bound to another principal or request')
        return payload
      },
    }),
    close: () => states.close(),
    [Symbol.asyncDispose]: () => states.close(),
  }
}
