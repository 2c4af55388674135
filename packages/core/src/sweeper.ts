/** Sweeps in the background: jittered, one pass in flight, on a timer that does not keep the process alive. */
export interface Sweeper {
  /** Starts no further pass, and resolves when the running one has ended. */
  stop(): Promise<void>
}

export interface SweeperOptions {
  /** 0: never. */
  readonly intervalMs: number
  sweep(): Promise<unknown>
  report(error: unknown): void
}

/** Beyond this a timer of Node fires at once: longer waits are chunked. */
const longestTimerMs = 2 ** 31 - 1

export function sweeper(options: SweeperOptions): Sweeper {
  let timer: NodeJS.Timeout | undefined
  let pass: Promise<void> = Promise.resolve()
  let stopped = options.intervalMs === 0

  /** Between half and one and a half intervals: the nodes of a cluster do not sweep together. */
  function next(): void {
    wait(options.intervalMs * (0.5 + Math.random()))
  }

  function wait(leftMs: number): void {
    if (stopped) return
    timer = setTimeout(() => (leftMs > longestTimerMs ? wait(leftMs - longestTimerMs) : run()), Math.min(leftMs, longestTimerMs))
    timer.unref()
  }

  function run(): void {
    pass = options.sweep().then(next, (error: unknown) => {
      options.report(error)
      next()
    })
  }

  next()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await pass
    },
  }
}
