import { onTestFinished } from 'vitest'
import { type Metadata, openSessions, SessionError, type Sessions, type SessionsOptions } from '../src/index.ts'
import { type ScriptedBackend, scriptedBackend } from './scripted-backend.ts'

export interface ManualClock {
  now(): number
  set(at: number): void
  advance(ms: number): void
}

export interface Store<M> {
  readonly sessions: Sessions<M>
  readonly backend: ScriptedBackend
  readonly clock: ManualClock
  /** What `onError` was told. */
  readonly reported: unknown[]
}

export const startAt = 1_700_000_000_000

function manualClock(at: number = startAt): ManualClock {
  let current = at
  return {
    now: () => current,
    set: (next) => {
      current = next
    },
    advance: (ms) => {
      current += ms
    },
  }
}

export type StoreOptions<M> = Partial<Omit<SessionsOptions<M>, 'backend'>> & {
  readonly backend?: ScriptedBackend
  readonly clock?: ManualClock
}

/** A store on a scripted backend with a manual clock and no sweeps; closed when the test has finished. */
export async function openStore<M extends object = Metadata>(options: StoreOptions<M> = {}): Promise<Store<M>> {
  const { backend = scriptedBackend(), clock = manualClock(), ...rest } = options
  const reported: unknown[] = []
  const sessions = await openSessions<M>({
    backend,
    cleanupIntervalMs: 0,
    now: clock.now,
    onError: (error) => void reported.push(error),
    ...rest,
  })
  onTestFinished(() => sessions.close())
  return { sessions, backend, clock, reported }
}

/** What a promise rejects with; fails if it does not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  throw new Error(`expected a rejection, got ${typeof outcome.value}`)
}

/** As `failure`, for what must be a SessionError. */
export async function sessionFailure(promise: Promise<unknown>): Promise<SessionError> {
  const error = await failure(promise)
  if (SessionError.is(error)) return error
  throw error
}

/** As `failure`, for what is thrown at once. */
export function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('expected a throw')
}

/** The one value that must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value, got undefined')
  return value
}
