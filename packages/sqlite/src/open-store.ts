import { performance } from 'node:perf_hooks'
import type { BackendInfo, Call } from '@mcp-session/core/backend'
import { type Checkpointer, checkpointer } from './checkpointer.ts'
import { type Connection, connect } from './connection.ts'
import { configure, openFile, type SqliteDatabase } from './driver.ts'
import { type SessionEvents, sessionEvents } from './event-log.ts'
import { infoOf, journalMode } from './guarantees.ts'
import { migrate } from './migrate.ts'
import type { SqliteSettings } from './options.ts'
import { type Records, records } from './records.ts'
import { reserve } from './reserve.ts'
import { anyRoom, ownRoom, type Room } from './room.ts'
import { type HostSignals, signalBus } from './signal-bus.ts'
import { openFailure } from './sqlite-errors.ts'
import { prepareStatements, type Statements } from './statements.ts'
import { type WriteLane, writeLane } from './writes.ts'

/** What there is between `open` and `close`. */
export interface OpenStore {
  readonly info: BackendInfo
  readonly journalMode: string
  readonly connection: Connection
  readonly statements: Statements
  readonly lane: WriteLane
  readonly records: Records
  readonly events: SessionEvents
  readonly signals: HostSignals
  /** Waits for calls in flight, then closes what was opened here. */
  close(): Promise<void>
}

type FileSource = Extract<SqliteSettings['source'], { kind: 'file' }>

/** Another process may be migrating, or setting up the same new file. */
const openWithinMs = 5_000

/** Opens or borrows the database and brings its tables up to date; a failure leaves nothing open. */
export async function openStore({ source, table }: SqliteSettings): Promise<OpenStore> {
  if (source.kind === 'handle') return typed('The lent SQLite database', () => build(source.database, table, undefined))
  return typed(`The SQLite file ${source.path}`, async () => {
    const database = openFile(source.path)
    try {
      return await build(database, table, source)
    } catch (error) {
      database.close()
      throw error
    }
  })
}

async function typed<T>(where: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw openFailure(error, where)
  }
}

/** `own` where the connection is our own. */
async function build(database: SqliteDatabase, table: string, own: FileSource | undefined): Promise<OpenStore> {
  const call: Call = { now: 0, deadlineAt: performance.now() + openWithinMs }
  const connection = connect(database, own === undefined)
  if (own !== undefined) await connection.persist(call, () => configure(database, own.durable))
  await migrate(connection, table, call)
  const statements = await connection.persist(call, () => prepareStatements(database, table))
  const checkpoints = own === undefined || database.memory ? undefined : checkpointer(database, own.durable)
  const lane = writeLane(connection, own === undefined || checkpoints === undefined ? anyRoom : await roomOf(database, checkpoints, own))
  const signals = signalBus(connection, lane, statements)
  const steps = records(statements)
  return {
    ...(await connection.persist(call, () => ({ info: infoOf(database), journalMode: journalMode(database) }))),
    connection,
    statements,
    lane,
    records: steps,
    events: sessionEvents(statements, steps),
    signals,
    async close() {
      signals.clear()
      await lane.drain()
      await connection.drain()
      await checkpoints?.close()
      if (own !== undefined) database.close()
    },
  }
}

async function roomOf(database: SqliteDatabase, checkpoints: Checkpointer, { maxWalBytes }: FileSource): Promise<Room> {
  const spare = reserve(`${database.name}-reserve`)
  await spare.keep()
  return ownRoom(checkpoints, spare, maxWalBytes)
}
