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
  const look = () => {
    const now = performance.now()
    const stall = Math.max(0, now - last - 2 * tickMs)
    last = now
    total += stall
    if (stall > longest) longest = stall
  }
  const timer = setInterval(look, tickMs)
  return {
    totalMs() {
      look()
      return total
    },
    longestMs: () => longest,
    end() {
      clearInterval(timer)
    },
  }
}
