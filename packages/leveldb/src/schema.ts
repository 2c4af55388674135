import { SessionError } from '@mcp-session/core/backend'
import { type LevelDatabase, utf8 } from './driver.ts'
import { after, schemaKey } from './keys.ts'
import { seal, unseal } from './sealed.ts'

/** The layout that `keys.ts` describes. */
const version = 1

/** Marks an empty database as a store of this layout, or checks the mark. `SCHEMA` for a newer one, and for what is not ours. */
export async function claim(database: LevelDatabase, sync: boolean, where: string): Promise<void> {
  const value = database.getSync(schemaKey, utf8)
  if (value === undefined) {
    if (await holdsKeys(database)) throw foreign(where)
    const batch = database.batch()
    batch.put(schemaKey, seal(schemaKey, String(version)), utf8)
    await batch.write({ sync })
    return
  }
  const found = Number(unseal(schemaKey, value))
  if (!Number.isSafeInteger(found) || found < 1) throw damagedMark(where)
  if (found > version) throw newer(where, found)
}

async function holdsKeys(database: LevelDatabase): Promise<boolean> {
  for await (const _key of database.keys({ ...utf8, gte: '', lt: after, limit: 1 })) return true
  return false
}

function foreign(where: string): SessionError {
  return new SessionError(
    'MCP_SESSION_SCHEMA',
    `${where} holds keys but not the mark of this package: it belongs to something else, or lost it; choose another path, or lend a sublevel`,
  )
}

function damagedMark(where: string): SessionError {
  return new SessionError('MCP_SESSION_CORRUPT', `${where} has a damaged mark of its layout: restore a backup`)
}

function newer(where: string, found: number): SessionError {
  return new SessionError(
    'MCP_SESSION_SCHEMA',
    `${where} has layout ${found}, this release knows ${version}: upgrade @mcp-session/leveldb here`,
  )
}
