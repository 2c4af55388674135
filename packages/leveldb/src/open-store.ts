import { type BackendInfo, running } from '@mcp-session/core/backend'
import { type LevelDatabase, openFolder } from './driver.ts'
import { type Engine, engine } from './engine.ts'
import { openFailure } from './level-errors.ts'
import type { LeveldbSettings } from './options.ts'
import { borrowedPlace, hasLocation, ownFolder, type Place } from './place.ts'
import { claim } from './schema.ts'
import { type WriteLane, writeLane } from './write-lane.ts'

/** What there is between `open` and `close`. */
export interface OpenStore {
  readonly info: BackendInfo
  readonly engine: Engine
  readonly lane: WriteLane
  /** Runs a read of which `close` waits for the end. */
  read<T>(step: (database: LevelDatabase) => Promise<T>): Promise<T>
  /** Waits for calls in flight, then closes what was opened here. */
  close(): Promise<void>
}

/** Locks and opens, or borrows, the database; a failure leaves nothing open. */
export async function openStore(settings: LeveldbSettings): Promise<OpenStore> {
  const { source } = settings
  const where = source.kind === 'folder' ? `The LevelDB folder ${source.path}` : 'The lent LevelDB database'
  try {
    const place = await (source.kind === 'folder' ? ownFolder(source.path) : borrowedPlace(source.database))
    try {
      return await build(source.kind === 'folder' ? await openFolder(source.path) : source.database, place, settings, where)
    } catch (error) {
      await place.release()
      throw error
    }
  } catch (error) {
    throw openFailure(error, where)
  }
}

async function build(database: LevelDatabase, place: Place, settings: LeveldbSettings, where: string): Promise<OpenStore> {
  try {
    await claim(database, settings.durable, where)
  } catch (error) {
    if (place.path !== undefined) await database.close()
    throw error
  }
  const served = engine(database, place, settings)
  const lane = writeLane(served, place)
  const reads = running()
  return {
    info: infoOf(database, settings.durable),
    engine: served,
    lane,
    read(step) {
      const reading = Promise.resolve().then(served.readable).then(step)
      reads.enter()
      return reading.finally(reads.leave)
    },
    async close() {
      await lane.drain()
      await reads.idle()
      try {
        await served.close()
      } finally {
        await place.release()
      }
    },
  }
}

/** On macOS LevelDB's sync leaves the data in the drive's cache. A database without a folder may keep nothing. */
function infoOf(database: LevelDatabase, durable: boolean): BackendInfo {
  const synced = durable && process.platform !== 'darwin' ? 'host' : 'engine'
  return { name: 'leveldb', contract: 1, sharing: 'process', durability: hasLocation(database) ? synced : 'none', expiry: 'swept' }
}
