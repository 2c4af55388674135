import type { Call } from '@mcp-session/core/backend'
import type { PatientLane } from './patient-lane.ts'

/** So many calls at least travel together before a second flush is sent beside the first: few would only share the engine's disk. */
const enough = 64

/** Two lanes of one kind: while one waits for the disk, the other's calls are worked on. Calls on one row stay in one lane, in order. */
export function twoLanes<I, R>(lanes: readonly [PatientLane<I, R>, PatientLane<I, R>]): PatientLane<I, R> {
  const loads: [number, number] = [0, 0]
  const places = new Map<string, { readonly lane: 0 | 1; calls: number }>()

  async function run(key: string, id: string, input: I, call: Call): Promise<R> {
    const place = places.get(id) ?? { lane: loads[0] < enough || loads[0] <= loads[1] ? 0 : 1, calls: 0 }
    if (place.calls === 0) places.set(id, place)
    place.calls += 1
    loads[place.lane] += 1
    try {
      return await lanes[place.lane].run(key, id, input, call)
    } finally {
      loads[place.lane] -= 1
      place.calls -= 1
      if (place.calls === 0) places.delete(id)
    }
  }

  return {
    run,
    async drain() {
      await Promise.all([lanes[0].drain(), lanes[1].drain()])
    },
  }
}
