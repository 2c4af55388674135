import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop was, in milliseconds; the monitor's own millisecond included, which an idle run has as well. */
export interface LoopDelay {
  readonly loopP99Ms: number
  readonly loopMaxMs: number
}

/** Watches the event loop while something runs. */
export async function withLoopDelay<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly delay: LoopDelay }> {
  const monitor = monitorEventLoopDelay({ resolution: 1 })
  monitor.enable()
  try {
    const result = await run()
    return { result, delay: { loopP99Ms: monitor.percentile(99) / 1e6, loopMaxMs: monitor.max / 1e6 } }
  } finally {
    monitor.disable()
  }
}
