import type { Store } from '../src/sessions/store.ts'
import { mapStore } from '../src/sessions/stores/map-store.ts'

/** A store that notes what was asked of it, and what of that was answered before anything else was looked at. */
export function countedStore(): { readonly store: Store; readonly asked: Map<string, number>; readonly answered: Map<string, number> } {
  const kept = mapStore()
  const asked = new Map<string, number>()
  const answered = new Map<string, number>()
  const note = (notes: Map<string, number>, op: string) => notes.set(op, (notes.get(op) ?? 0) + 1)

  async function noted<T>(op: string, call: () => Promise<T>): Promise<T> {
    note(asked, op)
    // In a later turn, as an engine answers: a caller that does not wait would be caught.
    await new Promise((resolve) => setImmediate(resolve))
    const answer = await call()
    note(answered, op)
    return answer
  }

  const store: Store = {
    create: (n) => noted('create', () => kept.create(n)),
    retrieve: (id) => noted('retrieve', () => kept.retrieve(id)),
    touch: (id) => noted('touch', () => kept.touch(id)),
    update: (id) => noted('update', () => kept.update(id)),
    delete: (id) => noted('delete', () => kept.delete(id)),
    count: kept.count,
    close: kept.close,
  }
  return { store, asked, answered }
}
