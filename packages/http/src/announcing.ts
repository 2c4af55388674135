import type { Session, Sessions } from '@mcp-session/core'

/** The store as the application sees it: whoever ends a session through it also tells the other nodes at once. */
export function announcing<M>(sessions: Sessions<M>, onEnded: (session: Pick<Session<M>, 'id' | 'owner'>) => void): Sessions<M> {
  return {
    ...sessions,
    async delete(id, given = {}) {
      // Whose it was is gone with it; a damaged one can be deleted as well.
      const session = await sessions.retrieve(id, given).catch(() => undefined)
      const wasThere = await sessions.delete(id, given)
      if (wasThere) onEnded(session ?? { id, owner: given.owner ?? null })
      return wasThere
    },
    async deleteByOwner(owner, given) {
      const ids: string[] = []
      for await (const found of sessions.iterate({ owner, limit: 1_000 })) ids.push(found.id)
      const deleted = await sessions.deleteByOwner(owner, given)
      for (const id of ids) if ((await sessions.retrieve(id, { owner })) === undefined) onEnded({ id, owner })
      return deleted
    },
    async rotate(id, given) {
      const session = await sessions.retrieve(id, given)
      const rotated = await sessions.rotate(id, given)
      if (session !== undefined && rotated !== undefined) onEnded(session)
      return rotated
    },
    async consume(id, given) {
      const session = await sessions.consume(id, given)
      if (session !== undefined) onEnded(session)
      return session
    },
  }
}
