import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { type Keeper, startKeeper } from './keep.ts'
import { ownedEngine } from './owned-engine.ts'
import type { Programs } from './programs.ts'
import { redisPrograms } from './redis-programs.ts'
import { redisPid } from './redis-reply.ts'
import { searchOf } from './search.ts'
import { startOnFreePort } from './start-on-free-port.ts'

/** A setting of `redis.conf`; the empty text stands for `""`. */
export type RedisConfig = Readonly<Record<string, string>>

export interface RedisOptions {
  /** Over the defaults: `appendonly yes`, `appendfsync always`, `save ""`, so that `kill` loses nothing. */
  readonly config?: RedisConfig
}

/** Starts a Redis of its own on a free port of 127.0.0.1. */
export async function startRedis({ config = {} }: RedisOptions = {}): Promise<Engine> {
  const programs = await redisPrograms(searchOf(process.env))
  const keeper = await startKeeper()
  try {
    return await startRedisNode({ programs, keeper, config, name: 'redis', onClose: keeper.end })
  } catch (error) {
    await keeper.end()
    throw error
  }
}

export interface RedisNode {
  readonly programs: Programs
  readonly keeper: Keeper
  readonly config: RedisConfig
  /** Of its folder and its log. */
  readonly name: string
  onClose(): Promise<void>
}

/** Starts one server beside others of the same keeper. */
export function startRedisNode(node: RedisNode): Promise<Engine> {
  return startOnFreePort((port) => redisNode(node, port))
}

async function redisNode({ programs, keeper, config, name, onClose }: RedisNode, port: number): Promise<Engine> {
  const folder = await keeper.subfolder(`${name}-${port}`)
  const log = join(folder, 'log')
  const settings: RedisConfig = {
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    ...config,
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    daemonize: 'no',
  }
  const auth = settings['requirepass'] === undefined ? [] : [`AUTH ${settings['requirepass']}`]
  return ownedEngine({
    keeper,
    url: `redis://127.0.0.1:${port}`,
    port,
    launch: programs.run(
      'redis-server',
      Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
      log,
    ),
    endBy: 'SIGTERM',
    answeringPid: () => redisPid(port, ...auth),
    onClose,
  })
}
