import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import { type Keeper, startKeeper } from './keep.ts'
import { ownedEngine } from './owned-engine.ts'
import type { Programs } from './programs.ts'
import { redisPrograms } from './redis-programs.ts'
import { startPair } from './redis-replicas.ts'
import { redisPid, redisReply } from './redis-reply.ts'
import { searchOf } from './search.ts'
import { startOnFreePort } from './start-on-free-port.ts'

/** A replica pair that three sentinels watch: kill the primary, and two of them agree to promote the replica. */
export interface RedisSentinel extends AsyncDisposable {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  /** Of the group, as clients ask for it. */
  readonly name: string
  readonly primary: Engine
  readonly replica: Engine
  close(): Promise<void>
}

const name = 'sessions'
const quorum = 2
const downAfterMs = 1_000
const failoverTimeoutMs = 5_000
const acquaintedWithinMs = 60_000

/** Starts them; resolves once the sentinels know the replica and each other. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const programs = await redisPrograms(searchOf(process.env))
  const keeper = await startKeeper()
  try {
    const { primary, replica } = await startPair(programs, keeper)
    const engines = await Promise.all([0, 1, 2].map((n) => startOnFreePort((port) => sentinel(programs, keeper, n, port, primary))))
    await acquainted(engines)
    const group: RedisSentinel = {
      sentinels: engines.map(({ port }) => ({ host: '127.0.0.1', port })),
      name,
      primary,
      replica,
      close: () => keeper.end(),
      async [Symbol.asyncDispose]() {
        await group.close()
      },
    }
    return group
  } catch (error) {
    await keeper.end()
    throw error
  }
}

// A sentinel takes its configuration from a file only, and writes to it what it learns.
async function sentinel(programs: Programs, keeper: Keeper, n: number, port: number, primary: Engine): Promise<Engine> {
  const folder = await keeper.subfolder(`sentinel-${n}-${port}`)
  const file = join(folder, 'sentinel.conf')
  await writeFile(
    file,
    `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor ${name} 127.0.0.1 ${primary.port} ${quorum}
sentinel down-after-milliseconds ${name} ${downAfterMs}
sentinel failover-timeout ${name} ${failoverTimeoutMs}
`,
  )
  return ownedEngine({
    keeper,
    url: `redis://127.0.0.1:${port}`,
    port,
    launch: programs.run('redis-server', [file, '--sentinel'], join(folder, 'log')),
    endBy: 'SIGTERM',
    answeringPid: () => redisPid(port),
    async onClose() {},
  })
}

async function acquainted(sentinels: readonly Engine[]): Promise<void> {
  const until = performance.now() + acquaintedWithinMs
  const all = new RegExp(`status=ok,.*slaves=1,sentinels=${sentinels.length}\r`)
  for (const { port } of sentinels) {
    while (!all.test(await redisReply(port, 'INFO sentinel'))) {
      if (performance.now() > until) throw new Error(`The sentinels do not know each other within ${acquaintedWithinMs} ms.`)
      await pause(20)
    }
  }
}
