import { diskBackends } from './disk-places.ts'
import type { Harness } from './harness.ts'
import { cutExt4, type Ext4Bugs } from './powercut-ext4.ts'
import { cutRelaxedTwin, cutTwin } from './powercut-twin.ts'

/** The power goes. `bugs`: for the harness to find; `durable` is one of `ext4` only. */
export function powercut(bugs: Ext4Bugs = {}): Harness {
  return {
    name: 'powercut',
    about: [
      'ext4: a process writes to a mounted image, is stopped at any moment, and a copy of the image as it is then takes its place. Needs root.',
      'twin, twin-relaxed: a disk in memory notes what file does to it; after each operation, and in recovery, states that a power cut may leave are made.',
      'Nothing acknowledged is lost; relaxed, only the newest writes are, of its window. Tries are cuts.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['ext4', 'twin', 'twin-relaxed'],
    tries: 1_000,
    run(trial) {
      if (trial.variant === 'ext4') return cutExt4(trial, bugs)
      return trial.variant === 'twin' ? cutTwin(trial, bugs.plant) : cutRelaxedTwin(trial, bugs.plant)
    },
  }
}
