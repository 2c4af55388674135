import type { Call, ErrorClass, SessionBackend } from './backend.ts'
import type { Clock } from './clock.ts'
import { deadlines } from './deadlines.ts'
import { SessionError } from './errors.ts'
import type { Meter } from './meter.ts'
import { promised } from './promised.ts'
import { running } from './running.ts'

/** Every way from the store to its backend: clock, deadline, abort, bounded in-flight, one wrapping of errors, lost replies. */
export interface Calls {
  /** Starts a call of the session API. `CLOSED` once closing has begun; an aborted signal throws its reason. */
  begin(signal: AbortSignal | undefined): Call
  /** The same call, at the present instant: after waiting. */
  again(call: Call): Call
  /** One backend call that writes nothing. */
  read<T>(call: Call, step: () => Promise<T>): Promise<T>
  /** One backend call that writes. */
  write<T>(call: Call, step: () => Promise<T>): Promise<T>
  /** As `write`, but sends the identical write again while its outcome is unknown and time is left. */
  writeAgain<T>(call: Call, step: () => Promise<T>): Promise<Resent<T>>
  /** The typed error where that many are as many as may be in flight. */
  overload(count: number): SessionError | undefined
  /** Waits for others, but not beyond the call's deadline or its abort. */
  wait(call: Call, others: Promise<unknown>): Promise<void>
  /** Waits for a random time, longer with each attempt (full jitter), and never fails: whoever goes on looks at clock and signal. */
  backOff(call: Call, attempt: number, firstMs?: number): Promise<void>
  /** Takes no further calls, and resolves when none is in flight or all are past their deadlines. */
  end(): Promise<void>
}

/** `resent`: an earlier attempt of the same write may have landed as well. */
export interface Resent<T> {
  readonly value: T
  readonly resent: boolean
}

export interface CallsOptions {
  readonly backend: SessionBackend
  readonly clock: Clock
  readonly meter: Meter
  readonly callTimeoutMs: number
  readonly maxInFlight: number
}

export function calls(options: CallsOptions): Calls {
  const { backend, clock, meter, callTimeoutMs, maxInFlight } = options
  const name = backend.info.name
  const late = deadlines()
  let ending = false
  const inFlight = running()
  let lastDeadlineAt = 0

  function begin(signal: AbortSignal | undefined): Call {
    if (ending) throw closed(name)
    signal?.throwIfAborted()
    const deadlineAt = performance.now() + callTimeoutMs
    return signal === undefined ? { now: clock.now(), deadlineAt } : { now: clock.now(), deadlineAt, signal }
  }

  function again(call: Call): Call {
    return { ...call, now: clock.now() }
  }

  function overload(count: number): SessionError | undefined {
    if (count < maxInFlight) return undefined
    const message = `${maxInFlight} calls are in flight on ${name} already: shed load, or raise maxInFlight`
    return new SessionError('MCP_SESSION_OVERLOADED', message, { retryable: true })
  }

  function send<T>(call: Call, effect: 'read' | 'write', step: () => Promise<T>): Promise<T> {
    const refusal = overload(inFlight.count)
    if (refusal) return Promise.reject(refusal)
    if (call.signal?.aborted) return Promise.reject(call.signal.reason)
    if (performance.now() >= call.deadlineAt) return Promise.reject(timedOut(name, callTimeoutMs, 'none'))
    inFlight.enter()
    if (call.deadlineAt > lastDeadlineAt) lastDeadlineAt = call.deadlineAt
    return new Promise<T>((resolve, reject) => {
      const waiter = {
        deadlineAt: call.deadlineAt,
        onLate: () => reject(timedOut(name, callTimeoutMs, effect === 'read' ? 'none' : 'unknown')),
        place: -1,
      }
      late.enter(waiter)
      const unlisten = onAbort(call.signal, reject)
      const leave = () => {
        late.leave(waiter)
        unlisten()
        inFlight.leave()
      }
      // The slot stays taken until the driver settles, whenever that is.
      promised(step).then(
        (value) => {
          leave()
          resolve(value)
        },
        (error: unknown) => {
          leave()
          reject(typedError(backend, error, `on ${name}`, effect))
        },
      )
    })
  }

  function writeAgain<T>(call: Call, step: () => Promise<T>): Promise<Resent<T>> {
    return send(call, 'write', step).then(sentOnce, (error: unknown) => sendAgain(call, step, error))
  }

  async function sendAgain<T>(call: Call, step: () => Promise<T>, firstError: unknown): Promise<Resent<T>> {
    let error = firstError
    let unknown: unknown
    for (let attempt = 0; ; attempt += 1) {
      if (call.signal?.aborted) throw error
      if (isUnknown(error)) unknown = error
      if (unknown === undefined || !isWorthSendingAgain(error, call)) throw unknown ?? error
      meter.add('retries')
      await backOff(call, attempt)
      call.signal?.throwIfAborted()
      if (performance.now() >= call.deadlineAt) throw unknown
      try {
        return { value: await send(call, 'write', step), resent: true }
      } catch (again) {
        error = again
      }
    }
  }

  function wait(call: Call, others: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { deadlineAt: call.deadlineAt, onLate: () => done(() => reject(timedOut(name, callTimeoutMs, 'none'))), place: -1 }
      late.enter(waiter)
      const unlisten = onAbort(call.signal, (reason) => done(() => reject(reason)))
      const done = (settle: () => void) => {
        late.leave(waiter)
        unlisten()
        settle()
      }
      const arrived = () => done(resolve)
      others.then(arrived, arrived)
    })
  }

  function backOff(call: Call, attempt: number, firstMs = 10): Promise<void> {
    const forMs = Math.min(Math.random() * Math.min(firstMs * 2 ** attempt, 250), call.deadlineAt - performance.now())
    return wait(call, new Promise((resolve) => setTimeout(resolve, forMs))).catch(() => {})
  }

  function end(): Promise<void> {
    ending = true
    return wait({ now: 0, deadlineAt: lastDeadlineAt }, inFlight.idle()).catch(() => {})
  }

  return {
    begin,
    again,
    read: (call, step) => send(call, 'read', step),
    write: (call, step) => send(call, 'write', step),
    writeAgain,
    overload,
    wait,
    backOff,
    end,
  }
}

function sentOnce<T>(value: T): Resent<T> {
  return { value, resent: false }
}

function onAbort(signal: AbortSignal | undefined, reject: (reason: unknown) => void): () => void {
  if (signal === undefined) return nothingToDo
  const listener = () => reject(signal.reason)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

function nothingToDo(): void {}

/** Whether a write may have landed. */
export function isUnknown(error: unknown): error is SessionError {
  return SessionError.is(error) && error.outcome === 'unknown'
}

export function isWorthSendingAgain(error: unknown, call: Call): boolean {
  return SessionError.is(error) && error.retryable && performance.now() < call.deadlineAt
}

/** A driver's error becomes a SessionError, once. Its own sentence may name hosts, keys and values: it stays in `cause`. */
export function typedError(backend: SessionBackend, error: unknown, where: string, effect: 'read' | 'write'): SessionError {
  if (SessionError.is(error)) return error
  const known = classOf(backend, error)
  const { code }: { readonly code?: unknown } = Object(error)
  const failure = `The engine failed with ${error instanceof Error ? error.name : typeof error}${typeof code === 'string' ? ` ${code}` : ''}; the driver's error is the cause`
  return new SessionError(known?.code ?? 'MCP_SESSION_INTERNAL', `${failure} (${where})`, {
    retryable: known?.retryable ?? false,
    outcome: effect === 'read' ? 'none' : (known?.outcome ?? 'unknown'),
    cause: error,
  })
}

/** What the backend says of an error; `undefined` also where its `classify` fails over it. */
function classOf(backend: SessionBackend, error: unknown): ErrorClass | undefined {
  try {
    return backend.classify(error)
  } catch {
    return undefined
  }
}

/** The typed error for using a store that is closed or closing. */
function closed(name: string): SessionError {
  return new SessionError('MCP_SESSION_CLOSED', `The store on ${name} is closed: open another one`)
}

/** The typed error for a call that has not settled by its deadline. */
function timedOut(name: string, callTimeoutMs: number, outcome: 'none' | 'unknown'): SessionError {
  const effect = outcome === 'none' ? 'nothing was written' : 'it may still be written'
  return new SessionError('MCP_SESSION_TIMEOUT', `No answer from ${name} within ${callTimeoutMs} ms; ${effect}`, {
    retryable: true,
    outcome,
  })
}
