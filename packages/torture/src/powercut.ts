import { diskBackends } from './disk-places.ts'
import type { Harness } from './harness.ts'
import { cutRelaxedTwin, cutTwin } from './powercut-twin.ts'

/** The power goes. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function powercut(plant?: string): Harness {
  return {
    name: 'powercut',
    about: [
      'twin, twin-relaxed: a disk in memory notes what file does to it; after each operation, and in recovery, states that a power cut may leave are made',
      'and opened: nothing acknowledged is lost; relaxed, only the newest writes are, of its window. Tries are states.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['twin', 'twin-relaxed'],
    tries: 20_000,
    run: (trial) => (trial.variant === 'twin' ? cutTwin(trial, plant) : cutRelaxedTwin(trial, plant)),
  }
}
