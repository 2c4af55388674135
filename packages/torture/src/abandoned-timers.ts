/**
 * Counts the timers that are pending, also those that do not keep the process alive: Node's own list leaves these out. It must be
 * imported before anything that sets one. What Node sets for itself, such as the timeouts of sockets, is not counted.
 */
const pending = new Set<unknown>()

export function pendingTimers(): number {
  return pending.size
}

type SetTimer = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => NodeJS.Timeout

globalThis.setTimeout = watched(globalThis.setTimeout, (set) => (callback, ms, ...args) => {
  const timer = set(
    (...given) => {
      pending.delete(timer)
      callback(...given)
    },
    ms,
    ...args,
  )
  pending.add(timer)
  return timer
})
globalThis.setInterval = watched(globalThis.setInterval, (set) => (callback, ms, ...args) => {
  const timer = set(callback, ms, ...args)
  pending.add(timer)
  return timer
})
globalThis.clearTimeout = cleared(globalThis.clearTimeout)
globalThis.clearInterval = cleared(globalThis.clearInterval)

function watched<F extends (...given: never[]) => NodeJS.Timeout>(original: F, watch: (set: SetTimer) => SetTimer): F {
  const set: unknown = original
  // With its members: `util.promisify` finds its own variant there.
  return Object.defineProperties(watch(set as SetTimer), Object.getOwnPropertyDescriptors(original)) as unknown as F
}

function cleared(original: typeof clearTimeout): typeof clearTimeout {
  return (timer) => {
    pending.delete(timer)
    original(timer)
  }
}
