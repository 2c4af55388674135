import { createServer } from 'node:http'
import { createSessionHandler, type SessionHandle, type SessionHandlerOptions } from '@mcp-session/http'
import { listenOnLoopback } from '@mcp-session/test-processes'
import { z } from 'zod'
import type { serverV1 } from './server-v1.ts'
import type { serverV2 } from './server-v2.ts'
import type { Tool } from './tools.ts'

/** The state of a session: what its calls have counted. */
export interface Counter {
  readonly counter: number
}

/** A live server with the tools given, and a way to log to its client. */
export interface Talker {
  /** Resolves after the durable append. */
  log(data: unknown): Promise<void>
}

export type ServerBuilder = typeof serverV1 | typeof serverV2

export interface ServeOptions extends Pick<SessionHandlerOptions<Counter>, 'backend' | 'retryMs' | 'events' | 'jsonWaitMs'> {
  readonly build: ServerBuilder
  /** The tools of one live server. */
  readonly tools: (session: SessionHandle<Counter>, talker: Talker) => Readonly<Record<string, Tool>>
}

/** Makes servers of that major. The other SDK is not loaded. */
export async function builderOf(sdk: 1 | 2): Promise<ServerBuilder> {
  return sdk === 1 ? (await import('./server-v1.ts')).serverV1 : (await import('./server-v2.ts')).serverV2
}

/** Serves sessions on a free port of 127.0.0.1, and says `listening on <port>` on stdout. */
export async function serve({ build, tools, ...options }: ServeOptions): Promise<void> {
  const handler = await createSessionHandler<Counter>({
    ...options,
    schema: z.object({ counter: z.number().default(0) }),
    principal: 'anonymous',
    server({ session }) {
      const talker: Talker = { log: (data) => server.server.sendLoggingMessage({ level: 'info', data }) }
      const server = build(tools(session, talker))
      return server
    },
    onError(error) {
      console.error(error)
    },
  })
  const { port } = await listenOnLoopback(createServer((incoming, outgoing) => void handler.node(incoming, outgoing)))
  console.log(`listening on ${port}`)
}

/** Counts up, atomically. */
export async function countUp(session: SessionHandle<Counter>): Promise<string> {
  const { counter } = await session.update((metadata) => ({ ...metadata, counter: metadata.counter + 1 }))
  return String(counter)
}
