import type { Call } from '@mcp-session/core/backend'

/** What the parent asks for. Answers carry the same `n`; structured clone keeps `Infinity` and `undefined`. */
export type Request =
  | { readonly n: number; readonly do: 'call'; readonly step: Step; readonly now: number }
  | { readonly n: number; readonly do: 'steps'; readonly steps: readonly Step[]; readonly lanes: number; readonly now: number }
  | { readonly n: number; readonly do: 'increment'; readonly id: string; readonly times: number; readonly now: number }
  | { readonly n: number; readonly do: 'subscribe'; readonly channel: string }
  | { readonly n: number; readonly do: 'unsubscribe'; readonly subscription: number }
  | { readonly n: number; readonly do: 'close' }

/** A method of the backend (`events.append`, `signals.publish`), and its arguments but the call. */
export interface Step {
  readonly method: string
  readonly args: readonly unknown[]
}

/** Start and end of a call on the monotonic clock that all processes of a host share, in nanoseconds. */
export interface TimedOutcome {
  readonly start: bigint
  readonly end: bigint
  readonly outcome: Outcome
}

export type Outcome = { readonly value: unknown } | { readonly error: PlainError }

export interface PlainError {
  readonly name: string
  readonly message: string
}

export type Answer =
  | { readonly ready: true }
  | { readonly n: number; readonly value: unknown }
  | { readonly n: number; readonly error: PlainError }
  | { readonly signal: number; readonly message: string | undefined }

/** The pipe on which the second process acknowledges steps, synchronously: a line with the step's index for each. */
export const ACKS_FD = 4

export function plainError(error: unknown): PlainError {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) }
}

/** Time for a call in another process, which may have to wait for a busy machine. */
export function remoteCall(now: number): Call {
  return { now, deadlineAt: performance.now() + 20_000 }
}
