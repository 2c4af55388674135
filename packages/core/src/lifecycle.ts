/** Counted opening and closing, see the laws `lifecycle/*` of the contract. */
export interface Lifecycle {
  /** Opens for the first opener; later openers share it. A failed open leaves it closed, and may be tried again. */
  open(): Promise<void>
  /** Closes when as many have closed as have opened. Further calls do nothing. */
  close(): Promise<void>
  /** True from a successful open to the last close. */
  isOpen(): boolean
}

/** Makes `open` and `close` of a resource counted, single-flight and strictly one after the other. */
export function lifecycle(resource: { open(): Promise<void>; close(): Promise<void> }): Lifecycle {
  let openers = 0
  let opened = false
  let last: Promise<void> = Promise.resolve()

  function inTurn(step: () => Promise<void>): Promise<void> {
    const turn = last.then(step)
    last = turn.catch(() => {})
    return turn
  }

  return {
    open: () =>
      inTurn(async () => {
        if (!opened) {
          await resource.open()
          opened = true
        }
        openers += 1
      }),
    close: () =>
      inTurn(async () => {
        if (openers === 0) return
        openers -= 1
        if (openers > 0) return
        opened = false
        await resource.close()
      }),
    isOpen: () => opened,
  }
}
