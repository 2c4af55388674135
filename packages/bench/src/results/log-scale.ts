/** Where values lie on an axis whose steps are factors: twice as much is as far everywhere. */
export interface LogScale {
  at(value: number): number
  /** Round values to name along it. */
  readonly ticks: readonly number[]
}

/** Between two places, from the least to the greatest of the values, all above 0; or from a round value to a round one. */
export function logScale(values: readonly number[], from: number, to: number, ends: 'given' | 'round' = 'round'): LogScale {
  const least = Math.min(...values)
  const most = Math.max(...values)
  if (!(least > 0 && least <= most && most < Number.POSITIVE_INFINITY)) throw new RangeError('A logarithmic axis knows values above 0 only')
  const isGiven = ends === 'given' && least < most
  const low = isGiven ? least : stepBelow(least)
  const high = isGiven ? most : stepAbove(most, low)
  return {
    at: (value) => from + ((to - from) * Math.log(value / low)) / Math.log(high / low),
    ticks: ticksOf(low, high),
  }
}

function stepBelow(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  return decade * ([5, 2].find((step) => step * decade <= value) ?? 1)
}

function stepAbove(value: number, low: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5].find((one) => one * decade >= value && one * decade > low)
  return (step ?? 10) * decade
}

/** Powers of ten where there are enough of them, else those times 2 and 5 as well. */
function ticksOf(low: number, high: number): number[] {
  const steps = Math.log10(high / low) > 3 ? [1] : [1, 2, 5]
  const first = Math.floor(Math.log10(low))
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, count) => 10 ** (first + count))
  return decades.flatMap((decade) => steps.map((step) => step * decade)).filter((tick) => tick >= low * 0.999 && tick <= high * 1.001)
}
