import type { Store } from '../store.ts'

/** Counts the sessions, and does nothing else. */
export function idleStore(): Store {
  let count = 0
  const done = async () => true
  return {
    async create(n) {
      count += 1
      return String(n)
    },
    retrieve: done,
    touch: done,
    update: done,
    async delete() {
      count -= 1
      return true
    },
    count: async () => count,
    async close() {},
  }
}
