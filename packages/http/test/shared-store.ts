import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { postgresBackend } from '@mcp-session/postgres'
import { redisBackend } from '@mcp-session/redis'
import { sqliteBackend } from '@mcp-session/sqlite'
import { type Engine, startPostgres, startRedis } from '@mcp-session/test-engines'
import { afterAll, onTestFinished } from 'vitest'

/** Engines that several processes can share. */
export const sharedEngines = ['sqlite', 'redis', 'postgres'] as const
type SharedEngine = (typeof sharedEngines)[number]

/** The cases, each of them on every engine that processes can share. */
export function onEachEngine<C extends object>(cases: readonly C[]): (C & { readonly engine: SharedEngine })[] {
  return sharedEngines.flatMap((engine) => cases.map((one) => ({ ...one, engine })))
}

const starters = { redis: startRedis, postgres: startPostgres }
/** One server of a kind for the tests of a file. */
const servers = new Map<keyof typeof starters, Promise<Engine>>()
let made = 0

afterAll(async () => {
  for (const server of servers.values()) await (await server).close()
})

/** A path in a folder that is gone when the test is over. */
export async function scratchPath(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-http-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Backends of several nodes on one store: each call gives the backend for one more node. */
export async function sharedStore(engine: 'memory' | SharedEngine): Promise<() => SessionBackend> {
  if (engine === 'memory') {
    const backend = memoryBackend()
    // Memory is empty after its last close, so the store outlives its nodes.
    await backend.open()
    onTestFinished(() => backend.close())
    return () => backend
  }
  if (engine === 'sqlite') {
    const path = await scratchPath('sessions.db')
    return () => sqliteBackend({ path })
  }
  const { url } = await serverOf(engine)
  made += 1
  const name = `test_${made}`
  return () => (engine === 'redis' ? redisBackend({ url, prefix: name }) : postgresBackend({ url, schema: name }))
}

function serverOf(engine: keyof typeof starters): Promise<Engine> {
  const server = servers.get(engine) ?? starters[engine]()
  servers.set(engine, server)
  return server
}
