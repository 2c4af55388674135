import type { Op } from './ops.ts'
import type { Population } from './population.ts'
import type { Random } from './random.ts'
import type { Store } from './store.ts'

/** One call of an operation; `undefined`: there is nothing left to ask for. */
export type Step = () => Promise<unknown> | undefined

export function stepOf(op: Op, store: Store, population: Population, random: Random): Step {
  switch (op) {
    case 'retrieve':
      return () => store.retrieve(population.any(random))
    case 'touch':
      return () => store.touch(population.any(random))
    case 'update':
      return () => store.update(population.any(random))
    case 'mixed':
      return () => mixed(store, population.any(random), random(10))
    case 'create':
      return () => population.add()
    case 'delete':
      return () => {
        const id = population.take()
        return id === undefined ? undefined : store.delete(id)
      }
  }
}

function mixed(store: Store, id: string, die: number): Promise<unknown> {
  if (die === 0) return store.touch(id)
  return die === 1 ? store.update(id) : store.retrieve(id)
}
