/** How long the event loop of this process stood still, so that a busy machine is told apart from a late answer. */
export interface LoopStalls {
  /** All of it since the beginning, in milliseconds. */
  totalMs(): number
  /** The longest at once. */
  longestMs(): number
  end(): void
}

const tickMs = 5

export function loopStalls(): LoopStalls {
  let total = 0
  let longest = 0
  let last = performance.now()
  const pending = () => Math.max(0, performance.now() - last - tickMs)
  const timer = setInterval(() => {
    const stall = pending()
    last = performance.now()
    total += stall
    if (stall > longest) longest = stall
  }, tickMs)
  return {
    totalMs: () => total + pending(),
    longestMs: () => longest,
    end() {
      clearInterval(timer)
    },
  }
}
