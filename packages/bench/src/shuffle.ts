/** The same values in a random order: whoever goes first in every round has the cooler machine. */
export function shuffled<T>(values: readonly T[], random: () => number = Math.random): T[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)
}
