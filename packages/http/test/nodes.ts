import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'
import { onTestFinished } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { createSessionHandler, type SessionHandler, type SessionHandlerOptions } from '../src/index.ts'
import { type Listening, listen } from './listening.ts'
import { type Counter, counterSchema, type Holds, serverFactory } from './mcp-servers.ts'

/** One process of a cluster, played by a handler with its own server. */
export interface TestNode extends Listening {
  readonly handler: SessionHandler<Counter>
  readonly errors: readonly unknown[]
}

export type NodeOptions = Partial<SessionHandlerOptions<Counter>> & { readonly port?: number }

/** A node that is gone when the test is over. */
export async function startNode(backend: SessionBackend, options: NodeOptions = {}): Promise<TestNode> {
  const errors: unknown[] = []
  const { port = 0, ...given } = options
  const handler = await createSessionHandler<Counter>({
    backend,
    schema: counterSchema,
    server: serverFactory(2),
    principal: 'anonymous',
    retryMs: 50,
    pollIntervalMs: 40,
    cleanupIntervalMs: 0,
    drainMs: 0,
    onError: (error) => errors.push(error),
    ...given,
  })
  const listening = await listen(handler.node, port)
  onTestFinished(async () => {
    await handler.close()
    await listening.close().catch(() => {})
  })
  return { ...listening, handler, errors }
}

/** Backends of several nodes on one store: each call gives the backend for one more node. */
export async function sharedStore(engine: 'memory' | 'sqlite'): Promise<() => SessionBackend> {
  if (engine === 'memory') {
    const backend = memoryBackend()
    // Memory is empty after its last close, so the store outlives its nodes.
    await backend.open()
    onTestFinished(() => backend.close())
    return () => backend
  }
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-http-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return () => sqliteBackend({ path: join(folder, 'sessions.db') })
}

/** A node on memory whose tool `hold` waits until the test lets it go. */
export async function holdingNode(options: NodeOptions = {}): Promise<TestNode & { holds: Holds; underway: Promise<string> }> {
  const holds: Holds = new Map()
  const { promise: underway, resolve: onTool } = deferred<string>()
  const store = await sharedStore('memory')
  const node = await startNode(store(), { server: serverFactory(1, { holds, onTool }), ...options })
  return { ...node, holds, underway }
}
