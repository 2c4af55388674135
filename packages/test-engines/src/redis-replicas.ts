import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import { type Keeper, startKeeper } from './keep.ts'
import type { Programs } from './programs.ts'
import { startRedisNode } from './redis.ts'
import { redisPrograms } from './redis-programs.ts'
import { redisReply } from './redis-reply.ts'
import { searchOf } from './search.ts'

/** A Redis and one that follows it. */
export interface RedisReplicas extends AsyncDisposable {
  readonly primary: Engine
  readonly replica: Engine
  /** Makes the replica a primary, whatever has become of the other; resolves once it is. */
  promote(): Promise<void>
  close(): Promise<void>
}

const followsWithinMs = 60_000

/** Starts a replica pair; resolves once the replica has everything that the primary has. */
export async function startRedisReplicas(): Promise<RedisReplicas> {
  const programs = await redisPrograms(searchOf(process.env))
  const keeper = await startKeeper()
  try {
    const { primary, replica } = await startPair(programs, keeper)
    const pair: RedisReplicas = {
      primary,
      replica,
      async promote() {
        await obeys(replica.port, 'REPLICAOF NO ONE')
        await says(replica.port, 'role:master')
      },
      close: () => keeper.end(),
      async [Symbol.asyncDispose]() {
        await pair.close()
      },
    }
    return pair
  } catch (error) {
    await keeper.end()
    throw error
  }
}

/** Starts a primary and a replica that has caught up. */
export async function startPair(programs: Programs, keeper: Keeper): Promise<{ readonly primary: Engine; readonly replica: Engine }> {
  const node = { programs, keeper, onClose: async () => {} }
  const config = { 'repl-diskless-sync': 'yes', 'repl-diskless-sync-delay': '0' }
  const primary = await startRedisNode({ ...node, config, name: 'primary' })
  const follower = { ...config, replicaof: `127.0.0.1 ${primary.port}` }
  const replica = await startRedisNode({ ...node, config: follower, name: 'replica' })
  await says(replica.port, 'master_link_status:up')
  return { primary, replica }
}

/** A server that is still reading its data in refuses everything but questions about itself. */
async function obeys(port: number, command: string): Promise<void> {
  const until = performance.now() + followsWithinMs
  for (let reply = await redisReply(port, command); !reply.startsWith('+OK'); reply = await redisReply(port, command)) {
    if (performance.now() > until) throw new Error(`The Redis on port ${port} answers ${command} with ${reply}`)
    await pause(10)
  }
}

async function says(port: number, line: string): Promise<void> {
  const until = performance.now() + followsWithinMs
  while (!(await redisReply(port, 'INFO replication')).includes(line)) {
    if (performance.now() > until) throw new Error(`The Redis on port ${port} does not say ${line} within ${followsWithinMs} ms.`)
    await pause(10)
  }
}
