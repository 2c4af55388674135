import type { BackendHealth, Call, HealthWarning } from '@mcp-session/core/backend'
import type { Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import { settingsOf } from './guarantees.ts'
import { sendOnce } from './send.ts'
import { infoOf } from './server-info.ts'
import { topology } from './topology.ts'

/** The clock of the first master, and what an operator should know of all of them. */
export async function healthOf(connection: Connection, call: Call): Promise<BackendHealth> {
  const { masters } = await topology(connection, call)
  const [first] = masters
  const [time, ...warnings] = await Promise.all([
    first && sendOnce(first, { name: 'time', args: [], deadlineAt: call.deadlineAt }),
    ...masters.map((master) => warningsOf(master, call)),
  ])
  const [seconds, micros] = (time as string[] | undefined) ?? []
  const engineNow = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
  return { ...(Number.isFinite(engineNow) ? { engineNow } : {}), warnings: distinct(warnings.flat()) }
}

async function warningsOf(server: Redis, { deadlineAt }: Call): Promise<HealthWarning[]> {
  const [reply, settings] = await Promise.all([
    sendOnce(server, { name: 'info', args: [], deadlineAt }),
    settingsOf(server, 'save', deadlineAt),
  ])
  const info = infoOf(String(reply))
  const found: HealthWarning[] = []
  const warn = (code: string, message: string) => found.push({ code: `redis-${code}`, message })
  const policy = info['maxmemory_policy'] ?? 'noeviction'
  if (policy !== 'noeviction' && info['maxmemory'] !== '0') {
    warn(
      'evicts',
      `maxmemory-policy is ${policy}: Redis removes live sessions when its memory is full; use noeviction, or a server of its own`,
    )
  }
  if (Number(info['evicted_keys']) > 0)
    warn('has-evicted', `Redis has evicted ${info['evicted_keys']} keys since it started: sessions may be among them`)
  if (info['aof_enabled'] !== '1') warn('not-logged', persistenceOf(settings['save']))
  if (info['aof_last_write_status'] === 'err') warn('log-fails', 'Redis cannot write its append-only file: look at its log and its disk')
  if (info['rdb_last_bgsave_status'] === 'err') warn('snapshot-fails', 'The last snapshot of Redis failed: look at its log and its disk')
  if (info['role'] === 'slave')
    warn('is-replica', 'This server is a replica and takes no writes: connect to its primary, or through Sentinel')
  if (info['master_link_status'] === 'down') warn('replica-is-behind', 'This replica has lost its primary')
  if (info['loading'] === '1') warn('loading', 'Redis is loading its data')
  return found
}

function persistenceOf(save: string | undefined): string {
  const kept = save === '' ? 'nothing survives a restart of Redis' : 'what was written since the last snapshot is lost with the server'
  return `appendonly is off: ${kept}; set appendonly yes`
}

/** Several masters say the same. */
function distinct(warnings: readonly HealthWarning[]): HealthWarning[] {
  return [...new Map(warnings.map((warning) => [warning.message, warning])).values()]
}
