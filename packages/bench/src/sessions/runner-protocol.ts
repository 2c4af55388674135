import type { Job, JobResult } from './job.ts'
import type { Place } from './store.ts'

/** What a runner is started with. */
export interface Assignment {
  readonly job: Job
  readonly place: Place
  /** Where its profile is written; absent: none is made, which costs less. */
  readonly profile?: string
}

/** What a runner says at its end. Before, it has said that it has `started`. */
export type Report =
  | { readonly result: JobResult }
  /** `isHere` false: it cannot run on this machine. */
  | { readonly error: string; readonly isHere: boolean }

export function isReport(message: unknown): message is Report {
  return typeof message === 'object' && message !== null && ('result' in message || 'error' in message)
}

export function isStarted(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'started' in message
}
