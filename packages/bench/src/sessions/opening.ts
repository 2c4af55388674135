import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreContestant } from './contestant.ts'
import type { JobResult } from './job.ts'
import { withLoopDelay } from './loop-delay.ts'
import { withMemoryUse } from './memory-use.ts'
import type { Place } from './store.ts'

/** Opens what is there; `sessions` of them must be. The code is loaded before, by opening an empty store aside. */
export async function measureOpening(contestant: StoreContestant, place: Place, sessions: number): Promise<JobResult> {
  const aside = await mkdtemp(join(place.folder, 'aside-'))
  await (await contestant.open({ ...place, folder: aside })).close()
  const { result, ...memory } = await withMemoryUse(sessions, async () => {
    const beganAt = performance.now()
    const { result: store, delay } = await withLoopDelay(() => contestant.open(place))
    return { store, opening: { openMs: performance.now() - beganAt, ...delay } }
  })
  const { store, opening } = result
  try {
    const found = await store.count()
    if (found !== sessions) throw new Error(`The store holds ${found} sessions after it was opened; ${sessions} must be there`)
    return { opening, ...memory, sessions: found }
  } finally {
    await store.close()
  }
}
