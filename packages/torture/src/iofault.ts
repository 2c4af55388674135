import { diskBackends } from './disk-places.ts'
import type { Harness } from './harness.ts'
import { failDisk } from './iofault-disk.ts'
import { failCalls } from './iofault-strace.ts'

/** A disk that fails. `plant`: a bug for the harness to find, see `iofault-plants.ts`; `calls`: the system calls that fail, of `strace`. */
export function iofault(plant?: string, calls?: readonly string[]): Harness {
  return {
    name: 'iofault',
    about: [
      'The n-th write, sync, rename, opening of a script fails with EIO, once and for ever, for all n. No acknowledged write is lost, also by a power cut then;',
      'each refusal is typed. in-process: a disk in memory below file, and writes go on after a single failure. strace: a process. Tries are failures.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['in-process', 'strace'],
    tries: 100_000,
    run: (trial) => (trial.variant === 'strace' ? failCalls(trial, plant, calls) : failDisk(trial, plant)),
  }
}
