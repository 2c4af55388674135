import { setImmediate } from 'node:timers/promises'
import type { AccessSignal } from './sessions.ts'
import type { StoreParts } from './store-parts.ts'

/** Records per slice at most: a backend deletes fewer where so many would hold up others. */
const sliceSize = 2_000

/** Deletes expired records in slices, other work between them, until the backend finds none. */
export async function cleanupExpired<M>(parts: StoreParts<M>, { signal }: AccessSignal): Promise<number> {
  const { backend, calls, meter, snapshots } = parts
  let deleted = 0
  for (;;) {
    const call = calls.begin(signal)
    const { value } = await calls.writeAgain(call, () => backend.deleteExpired(sliceSize, call))
    if (value === 0) {
      snapshots.forgetExpired(call.now)
      return deleted
    }
    deleted += value
    meter.add('expired', value)
    await setImmediate()
  }
}
