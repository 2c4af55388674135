/** Entries that are merged before the event loop turns: about 2 ms. */
const stepsPerTurn = 32_768

/** The rows below `end` that have a serial, in the order of their serials: a merge sort that lets the event loop turn. */
export async function inOrder(end: number, serialOf: (row: number) => number, pause: () => Promise<void>): Promise<Uint32Array> {
  let rows = new Uint32Array(end)
  let count = 0
  for (let row = 0; row < end; row += 1) {
    if (serialOf(row) > 0) rows[count++] = row
  }
  rows = rows.subarray(0, count)
  let target = new Uint32Array(count)
  let steps = 0
  for (let width = 1; width < count && !isSorted(rows, serialOf); width *= 2) {
    for (let from = 0; from < count; from += 2 * width) {
      merge(rows, target, from, Math.min(from + width, count), Math.min(from + 2 * width, count), serialOf)
      steps += 2 * width
      if (steps < stepsPerTurn) continue
      steps = 0
      await pause()
    }
    ;[rows, target] = [target, rows]
  }
  return rows
}

function isSorted(rows: Uint32Array, serialOf: (row: number) => number): boolean {
  for (let index = 1; index < rows.length; index += 1) {
    if (serialOf(rows[index - 1] ?? 0) > serialOf(rows[index] ?? 0)) return false
  }
  return true
}

function merge(
  source: Uint32Array,
  target: Uint32Array,
  from: number,
  middle: number,
  end: number,
  serialOf: (row: number) => number,
): void {
  let [left, right] = [from, middle]
  for (let index = from; index < end; index += 1) {
    const takeLeft = left < middle && (right >= end || serialOf(source[left] ?? 0) <= serialOf(source[right] ?? 0))
    target[index] = source[takeLeft ? left++ : right++] ?? 0
  }
}
