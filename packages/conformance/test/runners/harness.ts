import { memoryBackend } from '../../../memory/src/index.ts'
import type { Harness } from '../../src/index.ts'
import { plants } from '../planted/index.ts'
import { simulatedEngine } from '../simulated-engine.ts'

const bug = plants.find(({ id }) => id === process.env['KIT_BUG'])
const stale = process.env['KIT_STALE'] === undefined ? {} : { expectedFailures: { 'create/new-id-is-stored': 'it does not fail at all' } }
const known = process.env['KIT_EXPECTED'] === undefined ? {} : { expectedFailures: { [process.env['KIT_EXPECTED']]: 'a bug is planted' } }

/** Memory; or, by the environment, one with a planted bug, or with a list of expected failures. */
export const harness: Harness = {
  ...(bug === undefined
    ? { open: () => ({ backend: memoryBackend() }) }
    : simulatedEngine((backend, engine) => bug.plant(backend, engine))),
  ...stale,
  ...known,
}
