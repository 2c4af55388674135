import { EventEmitter } from 'node:events'
import type { Harness } from '../../src/index.ts'
import { plants } from '../planted/index.ts'
import { harness as correct } from '../readme/harness.ts'
import { lagging } from './lagging.ts'

/** SQLite with the planted bug that the environment names, in every process. */
export const harness: Harness = {
  ...correct,
  async open() {
    const { place = '' } = await correct.open()
    return { place, backend: await reopen(place) }
  },
  reopen,
  secondProcess: import.meta.url,
}

async function reopen(place: string) {
  const backend = await correct.reopen?.(place)
  if (backend === undefined) throw new Error('the harness has reopen')
  const bug = [...plants, ...lagging].find(({ id }) => id === process.env['KIT_PROCESS_BUG'])
  return bug?.plant(backend, { client: new EventEmitter(), shared: new Map(), crashes: () => 0 }) ?? backend
}
