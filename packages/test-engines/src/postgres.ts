import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cachedFolder } from './cache-folder.ts'
import type { Engine } from './engine.ts'
import { type Keeper, startKeeper } from './keep.ts'
import { ownedEngine } from './owned-engine.ts'
import { postgresPrograms } from './postgres-programs.ts'
import type { Programs } from './programs.ts'
import { searchOf } from './search.ts'
import { startOnFreePort } from './start-on-free-port.ts'
import { type User, unprivilegedUser } from './unprivileged.ts'

/** A setting of `postgresql.conf`. */
export type PostgresConfig = Readonly<Record<string, string>>

export interface PostgresOptions {
  /** Over the defaults, which are PostgreSQL's own: `fsync` and `synchronous_commit` are on. */
  readonly config?: PostgresConfig
}

/** Starts a PostgreSQL of its own on a free port of 127.0.0.1; anybody there is its superuser `postgres`. */
export async function startPostgres({ config = {} }: PostgresOptions = {}): Promise<Engine> {
  const site = await postgresSite()
  try {
    return await startServer({ ...site, config, name: 'postgres', onClose: site.keeper.end })
  } catch (error) {
    await site.keeper.end()
    throw error
  }
}

/** What the servers of one group have in common. */
export interface PostgresSite {
  readonly programs: Programs
  readonly keeper: Keeper
  readonly user: User | undefined
  /** A data folder that `initdb` has made, to be copied. */
  readonly template: string
}

export interface PostgresServer extends PostgresSite {
  readonly config: PostgresConfig
  /** Of its folder and its log. */
  readonly name: string
  /** It follows the server that `primary_conninfo` in the config names. */
  readonly standby?: boolean
  onClose(): Promise<void>
}

/** Finds the programs, makes the template where it is missing, and starts a keeper. */
export async function postgresSite(): Promise<PostgresSite> {
  const search = searchOf(process.env)
  const programs = await postgresPrograms(search)
  const user = unprivilegedUser()
  const key = createHash('sha256').update(`${programs.version} ${programs.source} ${user?.uid}`).digest('hex').slice(0, 12)
  const keeper = await startKeeper()
  try {
    if (user !== undefined) await keeper.own(user)
    const template = await cachedFolder(search.cache, `postgres-template-${key}`, async (folder) => {
      const made = join(keeper.folder, 'template')
      const log = join(keeper.folder, 'initdb.log')
      const args = ['-D', made, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
      await keeper.run({ ...programs.run('initdb', args, log), ...user })
      await keeper.run({ argv: ['cp', '-a', `${made}/.`, folder], log })
    })
    return { programs, keeper, user, template }
  } catch (error) {
    await keeper.end()
    throw error
  }
}

/** Starts one server on a copy of the template. */
export async function startServer(server: PostgresServer): Promise<Engine> {
  const data = join(server.keeper.folder, server.name)
  await server.keeper.run({ argv: ['cp', '-a', server.template, data], log: join(server.keeper.folder, 'copy.log') })
  if (server.standby === true) await writeFile(join(data, 'standby.signal'), '')
  return await startOnFreePort(async (port) => postgresServer(server, data, port))
}

function postgresServer({ programs, keeper, user, config, name, onClose }: PostgresServer, data: string, port: number): Engine {
  const settings: PostgresConfig = {
    ...config,
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // In the data folder, so that SIGKILL leaves nothing in /dev/shm.
    dynamic_shared_memory_type: 'mmap',
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  return ownedEngine({
    keeper,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    launch: { ...programs.run('postgres', ['-D', data, ...options], join(keeper.folder, `${name}.log`)), ...user },
    // PostgreSQL's immediate shutdown: the data goes anyway.
    endBy: 'SIGQUIT',
    answeringPid: () => readyPid(data),
    onClose,
  })
}

// What `pg_ctl` waits for: the postmaster's pid on line 1 and its state on line 8.
async function readyPid(data: string): Promise<number | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return /^ready\s*$/.test(lines[7] ?? '') ? Number(lines[0]) : undefined
}
