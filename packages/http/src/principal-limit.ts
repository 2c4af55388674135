import type { Session, Sessions } from '@mcp-session/core'

/**
 * Keeps a principal within its number of sessions: beyond it the longest idle one without an open stream ends. Approximate across
 * nodes: a stream on another node shows by its accesses only, and two nodes may count at the same moment.
 */
export interface PrincipalLimit {
  /** Makes room for one more session. `false`: all of the principal's sessions have open streams. Rejects where the store does not answer. */
  makeRoom(owner: string | null): Promise<boolean>
}

export interface PrincipalLimitOptions {
  readonly sessions: Pick<Sessions<unknown>, 'count' | 'iterate'>
  /** `Infinity`: no limit. */
  readonly max: number
  readonly now: () => number
  /** Whether this node has an open stream or a running call of it. */
  readonly isInUse: (sessionId: string) => boolean
  readonly end: (sessionId: string, owner: string) => Promise<void>
}

/** A principal at its limit: what the last listing found, so that not every new session lists all of them. */
interface Crowd {
  /** Live sessions, as far as this node knows. */
  size: number
  /** Idle sessions, longest idle first. */
  readonly idle: string[]
  readonly countedAt: number
}

const listingLivesMs = 10_000
const rememberedCrowds = 1_000

export function principalLimit({ sessions, max, now, isInUse, end }: PrincipalLimitOptions): PrincipalLimit {
  const crowds = new Map<string, Crowd>()

  async function crowdOf(owner: string): Promise<Crowd | undefined> {
    const known = crowds.get(owner)
    if (known !== undefined && now() - known.countedAt < listingLivesMs && known.idle.length > 0) return known
    crowds.delete(owner)
    if ((await sessions.count({ owner })) < max) return undefined
    const all: Session<unknown>[] = []
    for await (const found of sessions.iterate({ owner, limit: 1_000 })) if (!('error' in found)) all.push(found)
    const idle = all.sort((one, other) => one.lastAccessedAt - other.lastAccessedAt).map(({ id }) => id)
    const crowd: Crowd = { size: all.length, idle, countedAt: now() }
    crowds.set(owner, crowd)
    for (const oldest of crowds.keys()) {
      if (crowds.size <= rememberedCrowds) break
      crowds.delete(oldest)
    }
    return crowd
  }

  async function endOne(owner: string, { idle }: Crowd): Promise<boolean> {
    for (let next = idle.shift(); next !== undefined; next = idle.shift()) {
      if (isInUse(next)) continue
      await end(next, owner)
      return true
    }
    return false
  }

  return {
    async makeRoom(owner) {
      if (owner === null || max === Number.POSITIVE_INFINITY) return true
      const crowd = await crowdOf(owner)
      if (crowd === undefined) return true
      while (crowd.size >= max) {
        if (!(await endOne(owner, crowd))) return false
        crowd.size -= 1
      }
      crowd.size += 1
      return true
    },
  }
}
