/** Moves what lies too close as little as a simple pass down and one up can, within bounds; from above to below. */
export function apart<T extends { readonly at: number }>(
  all: readonly T[],
  gap: number,
  top: number,
  bottom: number,
): (T & { readonly moved: number })[] {
  const sorted = all.toSorted((a, b) => a.at - b.at)
  const places: number[] = []
  for (const { at } of sorted) places.push(Math.max(at, (places.at(-1) ?? top - gap) + gap))
  let limit = bottom
  for (let index = places.length - 1; index >= 0; index -= 1) {
    places[index] = Math.min(places[index] ?? limit, limit)
    limit = (places[index] ?? limit) - gap
  }
  return sorted.map((one, index) => ({ ...one, moved: places[index] ?? one.at }))
}
