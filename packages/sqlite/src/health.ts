import { stat, statfs } from 'node:fs/promises'
import type { HealthWarning } from '@mcp-session/core/backend'
import type { SqliteDatabase } from './driver.ts'

/** Five times the size at which a log is normally written back to the file and used again, and more than a page of data. */
const largeWalBytes = 64 * 1024 * 1024

/** Types of file systems whose locks or shared memory do not hold between hosts, as `statfs` gives them on Linux. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
])

/** What an operator should know. Looks at names and sizes only: opening the file would drop this process's locks on it. */
export async function warningsOf(database: SqliteDatabase, journalMode: string): Promise<HealthWarning[]> {
  if (database.memory) return [{ code: 'sqlite-in-memory', message: 'The database is in memory: everything is lost with this process' }]
  const found = await Promise.all([journalWarning(journalMode), walWarning(`${database.name}-wal`), networkWarning(database.name)])
  return found.filter((warning) => warning !== undefined)
}

async function journalWarning(mode: string): Promise<HealthWarning | undefined> {
  if (mode === 'wal') return undefined
  return {
    code: 'sqlite-not-wal',
    message: `The journal mode is ${mode}: readers and writers keep each other waiting; use PRAGMA journal_mode = WAL`,
  }
}

async function walWarning(path: string): Promise<HealthWarning | undefined> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  if (size <= largeWalBytes) return undefined
  const message = `The write-ahead log holds ${Math.round(size / 1024 / 1024)} MiB: some process keeps a read transaction or iterator open for long`
  return { code: 'sqlite-large-wal', message }
}

async function networkWarning(path: string): Promise<HealthWarning | undefined> {
  const type = (await statfs(path).catch(() => undefined))?.type ?? 0
  const name = networkFileSystems.get(type)
  if (name === undefined) return undefined
  return { code: 'sqlite-network-file-system', message: `The file is on ${name}: locks may not hold there; put it on a disk of this host` }
}
