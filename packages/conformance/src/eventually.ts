/**
 * Waits until `condition` holds, and fails with `otherwise` after `patienceMs`. `again` runs first and then every 250 ms: what it
 * does may be lost.
 */
export async function eventually(
  patienceMs: number,
  condition: () => boolean,
  otherwise: () => string,
  again: () => Promise<unknown> | unknown = () => {},
): Promise<void> {
  const end = performance.now() + patienceMs
  for (let next = 0; !condition(); ) {
    const now = performance.now()
    if (now > end) throw new Error(`${otherwise()} (waited ${patienceMs} ms)`)
    if (now >= next) {
      next = now + 250
      await again()
    }
    if (!condition()) await turn()
  }
}

/** A few milliseconds for whatever is on its way. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 3)
  })
}

/** One turn of the event loop: a loop of awaits on an engine that answers at once would never let it turn, and starve all timers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Work that goes on beside a case, and is awaited at its end: should the case fail before, its failure is nobody's any more. */
export function beside(work: Promise<unknown>): void {
  work.catch(() => {})
}
