import type { SessionBackend } from '@mcp-session/core/backend'
import { onTestFinished } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { createSessionHandler, type SessionHandler, type SessionHandlerOptions } from '../src/index.ts'
import { type Listening, listen } from './listening.ts'
import { type Counter, counterSchema, type Holds, serverFactory } from './mcp-servers.ts'
import { sharedStore } from './shared-store.ts'

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

/** A node on memory whose tool `hold` waits until the test lets it go. */
export async function holdingNode(options: NodeOptions = {}): Promise<TestNode & { holds: Holds; underway: Promise<string> }> {
  const holds: Holds = new Map()
  const { promise: underway, resolve: onTool } = deferred<string>()
  const store = await sharedStore('memory')
  const node = await startNode(store(), { server: serverFactory(1, { holds, onTool }), ...options })
  return { ...node, holds, underway }
}
