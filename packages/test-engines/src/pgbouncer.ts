import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { type Keeper, startKeeper } from './keep.ts'
import { ownedEngine } from './owned-engine.ts'
import { pgbouncerPrograms } from './pgbouncer-programs.ts'
import type { Programs } from './programs.ts'
import { searchOf } from './search.ts'
import { startOnFreePort } from './start-on-free-port.ts'
import { unprivilegedUser } from './unprivileged.ts'

export interface PgBouncerOptions {
  /** The PostgreSQL behind it. */
  readonly target: Engine
  /** Connections to the server per user and database. Default 20. */
  readonly poolSize?: number
}

/** Starts a pgbouncer in transaction mode in front of a PostgreSQL, without support for prepared statements. */
export async function startPgBouncer({ target, poolSize = 20 }: PgBouncerOptions): Promise<Engine> {
  if (!Number.isSafeInteger(poolSize) || poolSize < 1) throw new RangeError(`poolSize is a whole number from 1, not ${poolSize}`)
  const programs = await pgbouncerPrograms(searchOf(process.env))
  const user = unprivilegedUser()
  const keeper = await startKeeper()
  try {
    if (user !== undefined) await keeper.own(user)
    return await startOnFreePort((port) => pgbouncer(programs, keeper, { port, target: new URL(target.url), poolSize, ...user }))
  } catch (error) {
    await keeper.end()
    throw error
  }
}

interface Place {
  readonly port: number
  readonly target: URL
  readonly poolSize: number
  readonly uid?: number
  readonly gid?: number
}

async function pgbouncer(programs: Programs, keeper: Keeper, { port, target, poolSize, ...user }: Place): Promise<Engine> {
  const file = join(keeper.folder, `pgbouncer-${port}.ini`)
  const users = join(keeper.folder, 'users.txt')
  const log = join(keeper.folder, `pgbouncer-${port}.log`)
  await writeFile(users, `"${target.username}" ""\n`)
  await writeFile(file, settings(port, target, users, poolSize, takesPreparedStatements(programs.version)))
  return ownedEngine({
    keeper,
    url: `postgres://${target.username}@127.0.0.1:${port}${target.pathname}`,
    port,
    launch: { ...programs.run('pgbouncer', [file], log), ...user },
    // Of all versions: at once, without waiting for clients.
    endBy: 'SIGQUIT',
    answeringPid: () => pidInLog(log),
    onClose: keeper.end,
  })
}

async function pidInLog(log: string): Promise<number | undefined> {
  const [, pid] = (await readFile(log, 'utf8')).match(/.*\[(\d+)\] LOG process up/s) ?? []
  return pid === undefined ? undefined : Number(pid)
}

function settings(port: number, target: URL, users: string, poolSize: number, prepared: boolean): string {
  const password = target.password === '' ? '' : ` password='${decodeURIComponent(target.password).replaceAll("'", "''")}'`
  return `[databases]
* = host=${target.hostname} port=${target.port || 5_432} user=${decodeURIComponent(target.username)}${password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 1000
${prepared ? 'max_prepared_statements = 0\n' : ''}`
}

// Since 1.21, where it is on by default from 1.24.
function takesPreparedStatements(version: string): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? []
  return Number(major) > 1 || Number(minor) >= 21
}
