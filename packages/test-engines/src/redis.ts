import { join } from 'node:path'
import { announce } from './announce.ts'
import type { Engine } from './engine.ts'
import { type Keeper, startKeeper } from './keep.ts'
import { ownedEngine } from './owned-engine.ts'
import type { Programs } from './programs.ts'
import { redisPrograms } from './redis-programs.ts'
import { redisReply } from './redis-reply.ts'
import { startOnFreePort } from './start-on-free-port.ts'

/** A setting of `redis.conf`; the empty text stands for `""`. */
export type RedisConfig = Readonly<Record<string, string>>

export interface RedisOptions {
  /** Over the defaults: `appendonly yes`, `appendfsync always`, `save ""`, so that `kill` loses nothing. */
  readonly config?: RedisConfig
}

/** Starts a Redis of its own on a free port of 127.0.0.1. */
export async function startRedis({ config = {} }: RedisOptions = {}): Promise<Engine> {
  const programs = await redisPrograms(process.env, announce)
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
    launch: {
      argv: [programs.path('redis-server'), ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])],
      env: programs.env,
      log,
    },
    endBy: 'SIGTERM',
    // The pid tells ours from a stranger's on the same port.
    answers: async (pid) => new RegExp(`^process_id:${pid}\r$`, 'm').test(await redisReply(port, ...auth, 'INFO server')),
    onClose,
  })
}
