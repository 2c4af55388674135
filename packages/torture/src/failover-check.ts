import { openSessions, type Sessions } from '@mcp-session/core'
import type { Acknowledged } from './failover-client.ts'
import type { Trial } from './harness.ts'
import { backendOf } from './store-place.ts'

type Counter = { n: number }

/** How much of what was acknowledged the promoted engine does not have. What it has and nobody may have written is bad. */
export async function lostOf(
  all: readonly Acknowledged[],
  place: string,
  trial: Trial,
): Promise<{ readonly writes: number; readonly sessions: number }> {
  await using sessions = await opened(place)
  let writes = 0
  let count = 0
  for (const told of all) {
    const { id, created, n, maybe, deleted } = told
    const found = (await sessions.retrieve(id))?.metadata.n
    if (found !== undefined && found > n + maybe) trial.bad(`${id} has ${found}; ${n} were acknowledged and ${maybe} are unknown`)
    const lost = !created ? 0 : deleted === 'yes' ? (found === undefined ? 0 : 1) : missing(found, told)
    writes += lost
    if (lost > 0) count += 1
  }
  return { writes, sessions: count }
}

/** Of a session that was not deleted for certain. Its creation counts as a write. */
function missing(found: number | undefined, { n, deleted }: Acknowledged): number {
  if (found === undefined) return deleted === 'unknown' ? 0 : n + 1
  return Math.max(0, n - found)
}

/** The promoted engine keeps the laws: counting by compare-and-set, deletes that are final, listings that are complete. */
export async function afterwards(all: readonly Acknowledged[], place: string, trial: Trial): Promise<void> {
  await using one = await opened(place)
  await using other = await opened(place)
  const listed = new Map<string, number>()
  for await (const session of one.iterate()) {
    if ('metadata' in session) listed.set(session.id, session.metadata.n)
    else trial.bad(`${session.id} is damaged after the failover: ${session.error}`)
  }
  for (const { id } of all) {
    const found = await one.retrieve(id)
    if ((found === undefined) === listed.has(id))
      trial.bad(`${id} is ${found === undefined ? 'listed and cannot' : 'not listed and can'} be retrieved`)
  }
  const some = [...listed].slice(0, 20)
  for (const [id, n] of some) {
    await Promise.all(
      Array.from({ length: 10 }, (_, turn) => (turn % 2 === 0 ? one : other).update(id, (metadata) => ({ n: metadata.n + 1 }))),
    )
    const now = (await one.retrieve(id))?.metadata.n
    if (now !== n + 10) trial.bad(`${id} had ${n}, 10 were added after the failover, and it has ${now}`)
    if (!(await other.delete(id))) trial.bad(`${id} could not be deleted after the failover`)
    const revived = await one.update(id, (metadata) => metadata)
    if (revived !== undefined || (await one.touch(id))) trial.bad(`${id} was deleted after the failover and is there`)
  }
}

function opened(place: string): Promise<Sessions<Counter>> {
  return openSessions<Counter>({ backend: backendOf(place), cleanupIntervalMs: 0 })
}
