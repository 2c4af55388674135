import { openSessions } from '@mcp-session/core'
import { abortBugs } from './abort-plants.ts'
import { abortedCalls } from './aborted-calls.ts'
import type { Harness } from './harness.ts'
import { plantBug } from './planted-backend.ts'
import { sharedBackends, startStore } from './running-store.ts'
import { backendOf } from './store-place.ts'

/** Calls that are aborted at any moment. `plant`: a bug for the harness to find, see `abort-plants.ts`. */
export function abort(plant?: string): Harness {
  return {
    name: 'abort',
    about: [
      'Calls on many sessions, most of them aborted: before, at once, a little later. Each answer is of the session that was asked for, each abort',
      'rejects with its own reason, and counters have what was acknowledged. Tries are calls.',
    ].join('\n  '),
    backends: ['memory', ...sharedBackends],
    variants: ['random'],
    tries: 100_000,
    async run(trial) {
      await using store = await startStore(trial.backend, { durable: false })
      const backend = plantBug(plant, abortBugs, backendOf(store.place))
      await using sessions = await openSessions({
        backend,
        cleanupIntervalMs: 0,
        cacheBytes: 0,
        onError: (error) => trial.bad(`in the background: ${error}`),
      })
      return await abortedCalls(sessions, trial)
    },
  }
}
