import type { Call } from './backend.ts'
import type { AccessSignal, Health } from './sessions.ts'
import type { StoreParts } from './store-parts.ts'

/** The engine's health and, for shared engines, the clock that the nodes of a cluster agree on. */
export interface EngineClock {
  health(options: AccessSignal): Promise<Health>
  /** Measures the offset now; what fails is the caller's to handle. */
  synchronize(): Promise<void>
  /** Measures it in the background, at most once a minute: on the way of a call, so that no timer is needed. */
  refresh(): void
}

const intervalMs = 60_000

export function engineClock<M>(parts: Pick<StoreParts<M>, 'backend' | 'calls' | 'clock' | 'inBackground'>): EngineClock {
  const { backend, calls, clock, inBackground } = parts
  const isShared = backend.info.sharing === 'cluster'
  let measuredAt = performance.now()

  async function measure(call: Call): Promise<Health> {
    const startedAt = performance.now()
    const ownNow = call.now - clock.offsetMs()
    const { warnings, engineNow } = await calls.read(call, () => backend.health(call))
    const roundTripMs = performance.now() - startedAt
    const clockOffsetMs = engineNow === undefined ? 0 : Math.round(engineNow - (ownNow + roundTripMs / 2))
    if (isShared && engineNow !== undefined) clock.setOffset(clockOffsetMs)
    return { warnings, roundTripMs, clockOffsetMs }
  }

  async function synchronize(): Promise<void> {
    measuredAt = performance.now()
    if (isShared) await measure(calls.begin(undefined))
  }

  function refresh(): void {
    if (isShared && performance.now() - measuredAt > intervalMs) inBackground(synchronize())
  }

  return { health: ({ signal }) => measure(calls.begin(signal)), synchronize, refresh }
}
