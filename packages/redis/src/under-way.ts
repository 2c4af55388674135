import type { Running } from '@mcp-session/core/backend'

/** Counts a promise as under way until it settles. A set of the promises would cost three closures and two more promises a call. */
export function underWay<T>(among: Running, promise: Promise<T>): Promise<T> {
  among.enter()
  promise.then(among.leave, among.leave)
  return promise
}
