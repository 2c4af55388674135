/** A sequential object: what a history has to be explainable by. */
export interface Specification<State, Op> {
  readonly initial: State
  /** The state after `op` has taken effect with the outcome that it had; `undefined`: it cannot have, in this state. */
  step(state: State, op: Op): State | undefined
  /** Equal keys, equal states. */
  key(state: State): string
}

/**
 * One call of a history. Times are of one monotonic clock. `ok`: it ended at `end` with its outcome. `unknown`: its reply was
 * lost, so it may take effect at any time after `start`, or never. A call that certainly did nothing belongs into no history.
 */
export interface Timed {
  readonly start: number
  readonly end: number
  readonly known: boolean
}

interface Entry<Op> {
  readonly op: Op
  readonly bit: bigint
  readonly isCall: boolean
  /** Of a call: its return, unless that is unknown. */
  readonly back: Entry<Op> | undefined
  before: Entry<Op> | undefined
  after: Entry<Op> | undefined
}

/**
 * Whether the history can be explained by one order of its calls that keeps to their times: Wing and Gong's search (1993) with
 * Lowe's memory of what was tried (2017), without recursion.
 */
export function isLinearizable<State, Op extends Timed>(specification: Specification<State, Op>, history: readonly Op[]): boolean {
  const head = entriesOf(history)
  const required = history.filter((op) => op.known).length
  const tried = new Set<string>()
  const taken: { entry: Entry<Op>; state: State }[] = []
  let state = specification.initial
  let done = 0n
  let returned = 0
  let entry = head.after

  for (;;) {
    if (returned === required) return true
    if (entry?.isCall) {
      const next = specification.step(state, entry.op)
      const nextDone = done | entry.bit
      const memory = next === undefined ? '' : `${nextDone.toString(36)} ${specification.key(next)}`
      if (next === undefined || tried.has(memory)) {
        entry = entry.after
        continue
      }
      tried.add(memory)
      taken.push({ entry, state })
      state = next
      done = nextDone
      if (entry.back !== undefined) returned += 1
      lift(entry)
      entry = head.after
    } else {
      // A return whose call is not placed yet, or the end of the list: the last choice was wrong.
      const last = taken.pop()
      if (last === undefined) return false
      state = last.state
      done &= ~last.entry.bit
      if (last.entry.back !== undefined) returned -= 1
      unlift(last.entry)
      entry = last.entry.after
    }
  }
}

/** Calls and returns in the order of their times, as a linked list behind a head that is neither. */
function entriesOf<Op extends Timed>(history: readonly Op[]): Entry<Op> {
  const events: { at: number; rank: number; entry: Entry<Op> }[] = []
  for (const [index, op] of history.entries()) {
    const bit = 1n << BigInt(index)
    const back: Entry<Op> | undefined = op.known
      ? { op, bit, isCall: false, back: undefined, before: undefined, after: undefined }
      : undefined
    events.push({ at: op.start, rank: 0, entry: { op, bit, isCall: true, back, before: undefined, after: undefined } })
    if (back !== undefined) events.push({ at: op.end, rank: 1, entry: back })
  }
  // At one instant calls come first: whatever may overlap is taken to overlap.
  events.sort((a, b) => a.at - b.at || a.rank - b.rank)
  const [first] = history
  if (first === undefined) throw new RangeError('an empty history needs no check')
  const head: Entry<Op> = { op: first, bit: 0n, isCall: false, back: undefined, before: undefined, after: undefined }
  let last = head
  for (const { entry } of events) {
    last.after = entry
    entry.before = last
    last = entry
  }
  return head
}

function lift<Op>(entry: Entry<Op>): void {
  unlink(entry)
  if (entry.back !== undefined) unlink(entry.back)
}

function unlift<Op>(entry: Entry<Op>): void {
  if (entry.back !== undefined) relink(entry.back)
  relink(entry)
}

function unlink<Op>(entry: Entry<Op>): void {
  if (entry.before !== undefined) entry.before.after = entry.after
  if (entry.after !== undefined) entry.after.before = entry.before
}

function relink<Op>(entry: Entry<Op>): void {
  if (entry.before !== undefined) entry.before.after = entry
  if (entry.after !== undefined) entry.after.before = entry
}
