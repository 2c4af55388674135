/** A map that forgets the least recently used entries beyond a number of bytes. */
export interface ByteLru<V> {
  get(key: string): V | undefined
  set(key: string, value: V, bytes: number): void
  delete(key: string): void
  /** Forgets every entry that is not worth keeping; looks at all of them. */
  deleteWhere(isUseless: (value: V) => boolean): void
}

/** `maxBytes` 0 keeps nothing. An entry larger than a quarter of all is not kept either: it would flush everybody else. */
export function byteLru<V>(maxBytes: number): ByteLru<V> {
  const entries = new Map<string, { readonly value: V; readonly bytes: number }>()
  let total = 0

  function remove(key: string): void {
    const entry = entries.get(key)
    if (entry === undefined) return
    entries.delete(key)
    total -= entry.bytes
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, bytes) {
      remove(key)
      if (bytes * 4 > maxBytes) return
      entries.set(key, { value, bytes })
      total += bytes
      for (const oldest of entries.keys()) {
        if (total <= maxBytes) break
        remove(oldest)
      }
    },
    delete: remove,
    deleteWhere(isUseless) {
      for (const [key, { value }] of entries) if (isUseless(value)) remove(key)
    },
  }
}
