import { performance } from 'node:perf_hooks'
import { type BackendInfo, SessionError } from '@mcp-session/core/backend'
import type { Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import { sendOnce } from './send.ts'
import { infoOf } from './server-info.ts'

/** What the servers are, as `open` finds them. */
export interface Servers {
  readonly info: BackendInfo
  /** `SSUBSCRIBE` came with Redis 7. */
  readonly hasShardedSignals: boolean
}

const openWithinMs = 5_000
const durabilities = ['none', 'caller', 'engine', 'host'] as const

/** Looks at every master; refuses what is too old, and a single node of a cluster. */
export async function inspect(connection: Connection): Promise<Servers> {
  const deadlineAt = performance.now() + openWithinMs
  // Through the client first, so that one that connects lazily, or has only heard of its cluster, is connected.
  const own = infoOf(String(await connection.send({ name: 'info', args: [], deadlineAt })))
  if (own['cluster_enabled'] === '1' && !connection.client.isCluster) throw partOfCluster()
  const masters = await Promise.all(connection.masters().map((master) => look(master, deadlineAt)))
  const major = Math.min(...masters.map(({ version }) => version))
  const weakest = Math.min(...masters.map(({ durability }) => durabilities.indexOf(durability)))
  return {
    info: { name: 'redis', contract: 1, sharing: 'cluster', durability: durabilities[weakest] ?? 'caller', expiry: 'engine' },
    hasShardedSignals: major >= 7,
  }
}

/** Settings of a server, for those who may read them; managed services often forbid it. */
export async function settingsOf(server: Redis, pattern: string, deadlineAt: number): Promise<Readonly<Record<string, string>>> {
  try {
    const reply = await sendOnce(server, { name: 'config', args: ['get', pattern], deadlineAt })
    const flat = (Array.isArray(reply) ? reply : Object.entries(reply as object).flat()) as string[]
    return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', flat[2 * n + 1] ?? '']))
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown)/.test(error.message)) return {}
    throw error
  }
}

async function look(
  server: Redis,
  deadlineAt: number,
): Promise<{ readonly version: number; readonly durability: BackendInfo['durability'] }> {
  const info = infoOf(String(await sendOnce(server, { name: 'info', args: [], deadlineAt })))
  const [major = 0, minor = 0] = (info['redis_version'] ?? '').split('.').map(Number)
  if (major < 6 || (major === 6 && minor < 2)) throw tooOld(info['redis_version'])
  const isLogged = info['aof_enabled'] === '1'
  return { version: major, durability: isLogged ? durabilityOf(await settingsOf(server, '*append*', deadlineAt)) : 'caller' }
}

/**
 * `always` syncs before it answers. `everysec` keeps back even the write to the file for up to 2 s while a sync is under way, so a killed
 * server may lose what it has answered; `no` does not. https://redis.io/docs/latest/operate/oss_and_stack/management/persistence
 */
function durabilityOf(settings: Readonly<Record<string, string>>): BackendInfo['durability'] {
  if (settings['appendfsync'] === 'always') return settings['no-appendfsync-on-rewrite'] === 'no' ? 'host' : 'engine'
  return settings['appendfsync'] === 'no' ? 'engine' : 'caller'
}

function tooOld(version: string | undefined): SessionError {
  return new SessionError(
    'MCP_SESSION_UNAVAILABLE',
    `The server is Redis ${version ?? 'of unknown version'}: a store needs 6.2 or later, or Valkey`,
  )
}

function partOfCluster(): SessionError {
  return new SessionError(
    'MCP_SESSION_UNAVAILABLE',
    'The server is a node of a Redis Cluster: give nodes in the place of url, or a Cluster as client',
  )
}
