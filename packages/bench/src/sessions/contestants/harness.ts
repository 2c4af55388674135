import type { Contestant } from '../contestant.ts'

/** What the harness itself costs: a store that does nothing. */
export const idleHarness: Contestant = {
  name: 'idle harness',
  family: 'harness',
  note: 'floor: answers at once, keeps nothing',
  ops: ['retrieve', 'touch', 'update', 'mixed'],
  async open() {
    const { idleStore } = await import('../stores/idle-store.ts')
    return idleStore()
  },
}
