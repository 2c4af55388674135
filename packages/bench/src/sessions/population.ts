import type { Random } from './random.ts'
import type { Store } from './store.ts'

/** The sessions of a run: those that stay, and those that creating adds and deleting takes away. */
export interface Population {
  /** The id of one that stays, at random. */
  any(random: Random): string
  /** Creates one and remembers it. */
  add(): Promise<string>
  /** The id of one that was added, to be deleted; `undefined`: none is left. */
  take(): string | undefined
  /** How many there must be now. */
  size(): number
  added(): number
}

/** Callers that fill or empty a store at once: what files and servers bear without queueing for seconds. */
const fillers = 64

/** Fills the store with the sessions that stay. */
export async function populate(store: Store, sessions: number): Promise<Population> {
  const staying: string[] = []
  const added: string[] = []
  let made = 0

  await fill(sessions, async (n) => {
    made = n
    staying.push(await store.create(n))
  })

  return {
    any(random) {
      return staying[random(staying.length)] ?? ''
    },
    async add() {
      made += 1
      const id = await store.create(made)
      added.push(id)
      return id
    },
    take: () => added.pop(),
    size: () => staying.length + added.length,
    added: () => added.length,
  }
}

/** Has the 1st to the n-th made, by a number of callers at once. */
export async function fill(count: number, make: (n: number) => Promise<unknown>): Promise<void> {
  let begun = 0
  async function filler(): Promise<void> {
    while (begun < count) {
      begun += 1
      await make(begun)
    }
  }
  await Promise.all(Array.from({ length: fillers }, filler))
}

/** Deletes all that were added. */
export async function removeAdded(store: Store, population: Population): Promise<void> {
  async function empty(): Promise<void> {
    for (let id = population.take(); id !== undefined; id = population.take()) await store.delete(id)
  }
  await Promise.all(Array.from({ length: fillers }, empty))
}
