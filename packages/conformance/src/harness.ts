import type { EventEmitter } from 'node:events'
import type { ErrorClass, SessionBackend } from '@mcp-session/core/backend'

/**
 * What a backend's author writes: how to get at stores of that backend. The kit calls `open` and `close` of the backends
 * that it is given, and decides by `info`, the facets and the harness's optional members what runs.
 */
export interface Harness {
  /** A new, empty store, and a backend on it that is not open yet. */
  open(): Promise<Store> | Store
  /** Another backend object, not open yet, on the store at `place`. Absent: nobody else can reach a store (memory). */
  reopen?(place: string): Promise<SessionBackend> | SessionBackend
  /** Removes the store for good; every backend on it is closed. */
  remove?(place: string): Promise<void> | void
  /**
   * The URL of a module that exports this harness as `harness`, so that another process can `reopen` a store: for a harness
   * in a module of its own that is `import.meta.url`. Absent: cases with several processes do not run.
   */
  readonly secondProcess?: string
  /**
   * Kills the engine with SIGKILL, or pulls its plug, and resolves once it is up again. Absent: the engine lives in the
   * process that uses it, and the kit kills such a process instead.
   */
  crash?(place: string): Promise<void>
  /** A backend, not open yet, on a new store and with a client that it borrows. Absent: it cannot borrow. */
  borrow?(): Promise<Borrowed> | Borrowed
  /** The driver's documented errors, and what `classify` has to make of each. */
  readonly errors?: readonly DriverError[]
  /** Case ids that are known to fail, with the reason. An entry that does not fail, or names no case, fails the run. */
  readonly expectedFailures?: Readonly<Record<string, string>>
}

export interface Store {
  readonly backend: SessionBackend
  /** Names the store for `reopen`, `crash` and `remove`, in this process and in others: a path, a prefix, a schema. */
  readonly place?: string
}

export interface Borrowed {
  readonly backend: SessionBackend
  /** Throws if the borrowed client is not usable any more. */
  use(): Promise<unknown> | unknown
  /** The client, where it emits events: its listeners are counted. */
  readonly emitter?: Pick<EventEmitter, 'eventNames' | 'listenerCount'>
  /** Closes the client and removes the store. */
  close(): Promise<void> | void
}

export interface DriverError {
  /** As the driver's documentation calls it; part of the message when the case fails. */
  readonly name: string
  /** An error as the driver throws it. */
  readonly error: unknown
  /** `undefined`: not named, so that the store makes it `INTERNAL` with an unknown outcome. */
  readonly expected: ErrorClass | undefined
}
