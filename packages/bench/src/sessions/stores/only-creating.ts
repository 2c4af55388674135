import type { Store } from '../store.ts'

/** A floor that can do nothing but create, and remove what it has created. */
export function onlyCreating(store: Pick<Store, 'create' | 'delete' | 'count' | 'close'>): Store {
  const refuse = () => Promise.reject(new TypeError('This floor can only create'))
  return { retrieve: refuse, touch: refuse, update: refuse, ...store }
}
