import { startPostgresStandby, startRedisReplicas } from '@mcp-session/test-engines'
import { NotRun } from './harness.ts'
import { postgresSchema, withPostgres } from './postgres-store.ts'
import { redisPrefix } from './redis-store.ts'
import { placeText } from './store-place.ts'

/** An engine and one that follows it. */
export interface FailoverPair extends AsyncDisposable {
  readonly primaryPlace: string
  /** To be opened once it is promoted. */
  readonly standbyPlace: string
  killPrimary(): Promise<void>
  promote(): Promise<void>
}

/** `isSync`: a write is acknowledged once the follower has it. */
export async function startFailoverPair(backend: string, isSync: boolean): Promise<FailoverPair> {
  try {
    return await (backend === 'redis' ? redisPair(isSync) : postgresPair(isSync))
  } catch (error) {
    throw new NotRun(`${backend} with a follower cannot be started here: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

async function redisPair(isSync: boolean): Promise<FailoverPair> {
  const pair = await startRedisReplicas()
  return {
    primaryPlace: placeText({ backend: 'redis', url: pair.primary.url, name: redisPrefix, ...(isSync ? { minReplicas: 1 } : {}) }),
    standbyPlace: placeText({ backend: 'redis', url: pair.replica.url, name: redisPrefix }),
    killPrimary: pair.primary.kill,
    promote: pair.promote,
    [Symbol.asyncDispose]: pair.close,
  }
}

async function postgresPair(isSync: boolean): Promise<FailoverPair> {
  const pair = await startPostgresStandby()
  if (isSync) {
    await withPostgres(pair.primary, async (client) => {
      await client.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
      await client.query('SELECT pg_reload_conf()')
      // It holds once the standby is counted as synchronous.
      for (let isOn = false; !isOn; ) {
        const { rows } = await client.query(`SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`)
        isOn = rows.length > 0
      }
    })
  }
  return {
    primaryPlace: placeText({ backend: 'postgres', url: pair.primary.url, name: postgresSchema }),
    standbyPlace: placeText({ backend: 'postgres', url: pair.standby.url, name: postgresSchema }),
    killPrimary: pair.primary.kill,
    promote: pair.promote,
    [Symbol.asyncDispose]: pair.close,
  }
}
