import type { BackendInfo } from '@mcp-session/core/backend'
import { type Connection, connect } from './connection.ts'
import { dueIndex } from './due-index.ts'
import { eventLog } from './event-log.ts'
import { inspect } from './guarantees.ts'
import { keysOf } from './keys.ts'
import { scriptLane } from './lane.ts'
import { type Listing, listing } from './listing.ts'
import type { RedisSettings } from './options.ts'
import { ownerIndex } from './owner-index.ts'
import { type Records, records } from './records.ts'
import { openFailure } from './redis-errors.ts'
import { readScript, writeScript } from './scripts.ts'
import { type RedisSignals, signalBus } from './signal-bus.ts'
import { values } from './values.ts'

/** What there is between `open` and `close`. */
export interface OpenStore {
  readonly info: BackendInfo
  readonly connection: Connection
  readonly records: Records
  readonly listing: Listing
  readonly events: ReturnType<typeof eventLog>
  readonly signals: RedisSignals
  /** Waits for calls in flight, then closes what was opened here. */
  close(): Promise<void>
}

/** Events may be 4 MiB each. */
const maxEventReads = 32

/** Connects, or borrows the client, and looks at the servers; a failure leaves nothing open. */
export async function openStore(settings: RedisSettings): Promise<OpenStore> {
  let connection: Connection | undefined
  try {
    connection = await connect(settings)
    return await build(connection, settings)
  } catch (error) {
    connection?.close()
    throw openFailure(error, placeOf(settings))
  }
}

async function build(connection: Connection, { prefix, minReplicas, minReplicasWaitMs }: RedisSettings): Promise<OpenStore> {
  const { info, hasShardedSignals } = await inspect(connection)
  const keys = keysOf(prefix)
  const replicas = minReplicas === 0 ? {} : { replicas: { min: minReplicas, waitMs: minReplicasWaitMs } }
  const writes = scriptLane({ connection, script: writeScript, ...replicas })
  const reads = scriptLane({ connection, script: readScript, maxSteps: maxEventReads, maxFlushes: 1 })
  const reading = values(connection)
  const owners = ownerIndex(connection, keys)
  const dues = dueIndex(connection, keys)
  const signals = signalBus(connection, keys, hasShardedSignals)
  return {
    info,
    connection,
    records: records({ keys, values: reading, writes, owners, dues }),
    listing: listing(connection, keys, reading, owners),
    events: eventLog(keys, writes, reads),
    signals,
    async close() {
      signals.clear()
      // Twice: what was armed is written next, and what was written may note something.
      for (let round = 0; round < 2; round += 1) {
        for (const lane of [owners, writes, reads, reading, dues]) await lane.drain()
      }
      connection.close()
    },
  }
}

function placeOf({ source }: RedisSettings): string {
  if (source.kind === 'client') return 'The lent Redis client'
  return source.kind === 'nodes' ? 'The Redis Cluster' : `Redis${source.kind === 'sentinels' ? ' behind Sentinel' : ''}`
}
