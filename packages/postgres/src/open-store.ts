import { type BackendInfo, type BatchOutcome, batcher, type Call } from '@mcp-session/core/backend'
import pg from 'pg'
import { connections } from './connections.ts'
import { type SessionEvents, sessionEvents } from './event-log.ts'
import { infoOf } from './guarantees.ts'
import { migrate } from './migrate.ts'
import { type Names, namesIn } from './names.ts'
import type { PostgresSettings } from './options.ts'
import { isCallsFault, openFailure } from './postgres-errors.ts'
import { type RecordReads, recordReads } from './record-reads.ts'
import { type RecordWrites, recordWrites } from './record-writes.ts'
import { type ClusterSignals, signalBus } from './signal-bus.ts'
import { type Statements, statementsOn } from './statements.ts'
import { type Wire, wire } from './wire.ts'
import { withLease } from './with-lease.ts'

/** What there is between `open` and `close`. */
export interface OpenStore {
  readonly info: BackendInfo
  readonly names: Names
  readonly wire: Wire
  readonly statements: Statements
  readonly writes: RecordWrites
  readonly reads: RecordReads
  readonly events: SessionEvents
  readonly signals: ClusterSignals
  /** Calls that do not travel together, one at a time, so that they take one connection. */
  inTurn<T>(call: Call, step: () => Promise<T>): Promise<T>
  /** Waits for calls in flight, then closes what was opened here. */
  close(): Promise<void>
}

/** An engine that is starting is waited for, and so is another node that migrates. */
const openWithinMs = 10_000

/** Connects and brings the tables up to date; a failure leaves nothing open. */
export async function openStore(settings: PostgresSettings): Promise<OpenStore> {
  const names = namesIn(settings.schema)
  const links = connections(settings.source)
  try {
    const info = await withLease(links, openWithinMs, async (lease) => {
      await migrate(lease.client, { names, unlogged: settings.unlogged, allowed: settings.migrate })
      return infoOf(lease, names, settings.relaxed)
    })
    const line = wire(links, settings.preparedStatements)
    return parts(info, names, settings, line, links.close, () => listeningClient(settings))
  } catch (error) {
    await links.close()
    throw openFailure(error)
  }
}

function parts(
  info: BackendInfo,
  names: Names,
  settings: PostgresSettings,
  line: Wire,
  disconnect: () => Promise<void>,
  newClient: () => pg.Client,
): OpenStore {
  const statements = statementsOn(names, settings.relaxed)
  const writes = recordWrites(line, statements)
  const reads = recordReads(line, statements)
  const events = sessionEvents(line, statements)
  const signals = signalBus({ wire: line, statements, names, newClient })
  const turns = batcher<() => Promise<unknown>, unknown>({ name: 'postgres', flush: takeTurn, isDataError: isCallsFault, maxCalls: 1 })

  async function inTurn<T>(call: Call, step: () => Promise<T>): Promise<T> {
    return (await turns.run(undefined, step, call)) as T
  }

  return {
    info,
    names,
    wire: line,
    statements,
    writes,
    reads,
    events,
    signals,
    inTurn,
    async close() {
      await Promise.all([writes.drain(), reads.drain(), events.drain(), turns.drain(), signals.close()])
      await disconnect()
    },
  }
}

async function takeTurn([step]: readonly (() => Promise<unknown>)[]): Promise<readonly BatchOutcome<unknown>[]> {
  return step === undefined ? [] : [{ value: await step() }]
}

/** A lent pool says how to connect, and with which class: the application may have another copy of pg. */
function listeningClient({ listenUrl, source }: PostgresSettings): pg.Client {
  if (source.kind === 'url') return new pg.Client({ ...source.config, connectionString: listenUrl ?? source.config.connectionString })
  if (listenUrl !== undefined)
    return new pg.Client({ connectionString: listenUrl, keepAlive: true, fallback_application_name: 'mcp-session' })
  return new pg.Client({ ...source.pool.options, password: source.pool.options.password, keepAlive: true })
}
