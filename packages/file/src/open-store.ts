import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HealthWarning } from '@mcp-session/core/backend'
import type { FolderLock } from '@mcp-session/core/folder-lock'
import { type Compaction, compaction } from './compaction.ts'
import type { Disk } from './disk.ts'
import { type EventSteps, eventSteps } from './event-steps.ts'
import { openFailure } from './file-errors.ts'
import { warningsOf } from './health.ts'
import { type Lane, writeLane } from './lane.ts'
import { type Log, openLog } from './log.ts'
import type { FileSettings, PutAside } from './options.ts'
import { type Reading, reading } from './reading.ts'
import { type RecordSteps, recordSteps } from './record-steps.ts'
import { recover } from './recovery.ts'
import { secretBytes } from './segment.ts'
import { type Aside, asideName } from './set-aside.ts'
import type { Table } from './table.ts'
import type { Tuning } from './tuning.ts'

/** What there is between `open` and `close`. */
export interface OpenStore {
  readonly table: Table
  readonly reading: Reading
  readonly lane: Lane
  readonly records: RecordSteps
  readonly events: EventSteps
  warnings(): HealthWarning[]
  /** Waits for what is under way, and gives the folder free. */
  close(): Promise<void>
}

type Lock = Pick<FolderLock, 'assertHeld' | 'release'>

/** Locks the folder and reads the store; a failure leaves nothing open. */
export async function openStore(settings: FileSettings, disk: Disk, tuning: Tuning): Promise<OpenStore> {
  try {
    const network = await disk.prepareFolder(settings.path, settings.allowNetworkFileSystem)
    const lock = await disk.lock(settings.path, network !== undefined)
    try {
      return await openLocked(settings, disk, tuning, lock, network)
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw openFailure(error, settings.path)
  }
}

async function openLocked(
  { path, durable, damage, cacheBytes, onOpen }: FileSettings,
  disk: Disk,
  tuning: Tuning,
  lock: Lock,
  network: string | undefined,
): Promise<OpenStore> {
  const pause = (): Promise<void> => nextTurn()
  const found = await recover({ disk, folder: path, durable, damage, secret: randomBytes(secretBytes), pause })
  const { table } = found
  const log = openLog(found.log, tuning, lock.assertHeld)
  try {
    const putAside = found.asides.map(report)
    onOpen({ sessions: table.size(), bytes: log.bytes(), putAside })
    const read = reading(log, table, found.log.seed, cacheBytes)
    const lane: Lane = writeLane(log, lock, () => compact.consider())
    const compact: Compaction = compaction({ log, table, reading: read, lane, seed: found.log.seed, tuning, pause })
    return {
      table,
      reading: read,
      lane,
      records: recordSteps(table, read),
      events: eventSteps(table, read),
      warnings: () => warningsOf({ log, compact, putAside, network, durable, tuning }),
      close: () => closeAll(lane, compact, log, lock),
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

async function closeAll(lane: Lane, compact: Compaction, log: Log, lock: Lock): Promise<void> {
  try {
    await compact.stop()
    await lane.drain()
    await log.close()
  } finally {
    await lock.release()
  }
}

function report(aside: Aside): PutAside {
  const copy = aside.bytes.length === 0 ? undefined : asideName(aside)
  return { file: aside.name, offset: aside.offset, bytes: aside.bytes.length, kind: aside.kind, copy, missingBytes: aside.lost }
}
