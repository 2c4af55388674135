import type { Sessions } from '@mcp-session/core'

/**
 * Keeps a principal within its number of sessions: beyond it the longest idle one without an open stream ends. Approximate across
 * nodes: a stream on another node shows by its accesses only.
 */
export interface PrincipalLimit {
  /** Makes room for a session that was just made. `false`: all others are in use. Rejects where the store does not answer. */
  makeRoom(owner: string | null, newId: string): Promise<boolean>
}

export interface PrincipalLimitOptions {
  readonly sessions: Pick<Sessions<unknown>, 'count' | 'iterate'>
  /** `Infinity`: no limit. */
  readonly max: number
  readonly now: () => number
  /** Whether this node has an open stream or a running call of it. */
  readonly isInUse: (sessionId: string) => boolean
  /** Ends a session; whether it was there. */
  readonly end: (sessionId: string, owner: string) => Promise<boolean>
}

/** What the last listing of a principal found, so that not every new session lists all of them. */
interface Listing {
  /** Longest idle first. */
  readonly idle: string[]
  readonly madeAt: number
  /** Nobody was idle when it was made. */
  isBarren: boolean
}

const listingLivesMs = 10_000
const rememberedListings = 1_000

export function principalLimit({ sessions, max, now, isInUse, end }: PrincipalLimitOptions): PrincipalLimit {
  const listings = new Map<string, Listing>()
  /** One after the other for each principal: two that count at once would both find room, or both end a session. */
  const turns = new Map<string, Promise<unknown>>()

  async function listingOf(owner: string): Promise<Listing> {
    const known = listings.get(owner)
    const isYoung = known !== undefined && now() - known.madeAt < listingLivesMs
    if (isYoung && (known.idle.length > 0 || known.isBarren)) return known
    const found: { readonly id: string; readonly lastAccessedAt: number }[] = []
    for await (const session of sessions.iterate({ owner, limit: 100 })) {
      if (!('error' in session)) found.push({ id: session.id, lastAccessedAt: session.lastAccessedAt })
    }
    const idle = found.sort((one, other) => one.lastAccessedAt - other.lastAccessedAt).map(({ id }) => id)
    const listing: Listing = { idle, madeAt: now(), isBarren: false }
    listings.delete(owner)
    listings.set(owner, listing)
    for (const oldest of listings.keys()) {
      if (listings.size <= rememberedListings) break
      listings.delete(oldest)
    }
    return listing
  }

  async function enforce(owner: string, newId: string): Promise<boolean> {
    let excess = (await sessions.count({ owner })) - max
    if (excess <= 0) return true
    for (;;) {
      const known = listings.get(owner)
      const listing = await listingOf(owner)
      const before = excess
      for (let next = listing.idle.shift(); next !== undefined; next = listing.idle.shift()) {
        if (next !== newId && !isInUse(next) && (await end(next, owner))) excess -= 1
        if (excess === 0) return true
      }
      if (listing.isBarren) return false
      // Those of an older listing may have ended elsewhere; a fresh one tells.
      listing.isBarren = listing !== known && excess === before
    }
  }

  return {
    async makeRoom(owner, newId) {
      if (owner === null || max === Number.POSITIVE_INFINITY) return true
      const before = turns.get(owner) ?? Promise.resolve()
      const turn = before.then(() => enforce(owner, newId))
      const settled = turn.then(
        () => {},
        () => {},
      )
      turns.set(owner, settled)
      void settled.then(() => turns.get(owner) === settled && turns.delete(owner))
      return turn
    },
  }
}
