/** Rows by session id, in many maps: a single one of a million entries stalls the event loop for 100 ms when it grows. */
export interface IdIndex {
  /** -1: none. */
  get(id: string): number
  set(id: string, row: number): void
  delete(id: string): void
}

const shards = 256

export function idIndex(): IdIndex {
  const maps = Array.from({ length: shards }, () => new Map<string, number>())
  /** Never asked: every shard has its map. */
  const none = new Map<string, number>()

  /** Ids end in random characters; any other end only fills fewer maps. */
  function mapOf(id: string): Map<string, number> {
    const end = id.length
    return maps[(id.charCodeAt(end - 1) + 31 * (end > 1 ? id.charCodeAt(end - 2) : 0)) & (shards - 1)] ?? none
  }

  return {
    get: (id) => mapOf(id).get(id) ?? -1,
    set: (id, row) => void mapOf(id).set(id, row),
    delete: (id) => void mapOf(id).delete(id),
  }
}
