import type { Sessions } from '@mcp-session/core'

type Update<M> = (id: string, fn: (metadata: M) => M) => Promise<unknown>

/** `update` with a bug in it that the harness `counter` must find. `undefined` plants none. */
export function plantCounterBug<M>(plant: string | undefined, sessions: Sessions<M>): Update<M> {
  const honest: Update<M> = (id, fn) => sessions.update(id, fn)
  if (plant === undefined) return honest
  const bugs: Readonly<Record<string, Update<M>>> = {
    /** Reads, and writes what it made of that. */
    async reread(id, fn) {
      const read = await sessions.retrieve(id)
      return read && sessions.update(id, () => fn(read.metadata))
    },
    /** Sends some additions again that had succeeded. */
    async again(id, fn) {
      const session = await sessions.update(id, fn)
      return Math.random() < 0.05 ? sessions.update(id, fn) : session
    },
  }
  const bug = bugs[plant]
  if (bug === undefined) throw new RangeError(`No bug is called ${plant}`)
  return bug
}
