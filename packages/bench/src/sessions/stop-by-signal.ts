/** As Ctrl-C, a closed terminal and a time limit say it. */
const endings = ['SIGINT', 'SIGHUP', 'SIGTERM'] as const

/** Within so many milliseconds a signal is the same one again: `timeout` sends each to the command, and then to its group. */
const sameMs = 1_000

/**
 * Aborted by the first signal that asks to end. For as long as the process lives: what was measured is still to be printed and
 * written. A signal that comes later than that one again ends the process without.
 */
export function stopBySignal(tell: (text: string) => void): AbortSignal {
  const stopping = new AbortController()
  let firstAt: number | undefined
  for (const signal of endings) {
    process.on(signal, () => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > sameMs) process.exit(1)
      if (stopping.signal.aborted) return
      stopping.abort()
      tell(`${signal}: stopped, what is done is kept`)
    })
  }
  return stopping.signal
}
