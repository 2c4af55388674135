import { diskBackends } from './disk-places.ts'
import type { Harness } from './harness.ts'
import { failDisk } from './iofault-disk.ts'

/** A disk that fails. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function iofault(plant?: string): Harness {
  return {
    name: 'iofault',
    about: [
      'The n-th write, sync, rename, opening of a script fails with EIO, once and for ever, for all n. No acknowledged write is lost, also by a power cut then;',
      'each refusal is typed; writes go on after a single failure. in-process: a disk in memory below file. Tries are failures.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['in-process'],
    tries: 100_000,
    run: (trial) => failDisk(trial, plant),
  }
}
