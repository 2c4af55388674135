import type { Sessions } from '@mcp-session/core'
import type { OfferedCalls } from './open-load.ts'
import type { Bug } from './planted-backend.ts'

/** Bugs of a backend that the harness `outage` must find. */
export const outageBugs: Readonly<Record<string, Bug>> = {
  /** After its first failure it never works again, until the process is started anew. */
  deaf(backend) {
    let failure: unknown
    async function once<T>(run: () => Promise<T>): Promise<T> {
      if (failure !== undefined) throw failure
      try {
        return await run()
      } catch (error) {
        failure = error
        throw error
      }
    }
    return {
      replace: (record, expectedRev, call) => once(() => backend.replace(record, expectedRev, call)),
      touch: (touch, call) => once(() => backend.touch(touch, call)),
    }
  },
}

/** The calls that are offered, with a bug of the store in them. `unbounded` is an option of the store. */
export function plantedCalls(plant: string | undefined, sessions: Sessions): OfferedCalls {
  const honest: OfferedCalls = {
    read: (id) => sessions.retrieve(id),
    touch: (id) => sessions.touch(id),
    update: (id) => sessions.update(id, ({ n }) => ({ n: Number(n) + 1 })),
  }
  if (plant === undefined || plant === 'unbounded' || plant in outageBugs) return honest
  const bug = callBugs[plant]
  if (bug === undefined) throw new RangeError(`No bug is called ${plant}`)
  return { ...honest, ...bug(honest) }
}

const callBugs: Readonly<Record<string, (calls: OfferedCalls) => Partial<OfferedCalls>>> = {
  /** What fails never settles. */
  hanging: ({ update }) => ({ update: (id) => update(id).catch(() => new Promise(() => {})) }),
  /** Fails a second time, where nobody listens. */
  unhandled: ({ update }) => ({
    update(id) {
      const updating = update(id)
      void updating.then(() => {})
      return updating
    },
  }),
}
