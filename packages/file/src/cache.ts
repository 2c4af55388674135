/** What was read or written lately, by its place on disk, bounded by bytes: a place names one content as long as it is in use. */
export interface Cache<V> {
  get(place: number): V | undefined
  set(place: number, value: V, bytes: number): void
  forget(place: number): void
}

/** An entry larger than an eighth of all is not kept: it would drive out everybody else. */
const maxShare = 8

export function cache<V>(maxBytes: number): Cache<V> {
  const entries = new Map<number, { readonly value: V; readonly bytes: number }>()
  let held = 0

  function forget(place: number): void {
    held -= entries.get(place)?.bytes ?? 0
    entries.delete(place)
  }

  return {
    get(place) {
      const entry = entries.get(place)
      if (entry === undefined) return undefined
      entries.delete(place)
      entries.set(place, entry)
      return entry.value
    },
    set(place, value, bytes) {
      forget(place)
      if (bytes * maxShare > maxBytes) return
      entries.set(place, { value, bytes })
      held += bytes
      for (const oldest of entries.keys()) {
        if (held <= maxBytes) return
        forget(oldest)
      }
    },
    forget,
  }
}
