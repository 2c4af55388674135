import { createSessionHandler, type Principal, type SessionHandler } from '@mcp-session/http'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Options } from './options.ts'

interface Counter {
  readonly counter: number
}

/** The handler that all programs here serve: one tool that counts in the session, and one that writes to the client's GET stream. */
export function counterHandler(
  { database, ttlMs }: Pick<Options, 'database' | 'ttlMs'>,
  principal: Principal = 'anonymous',
): Promise<SessionHandler<Counter>> {
  return createSessionHandler<Counter>({
    backend: database === undefined ? memoryBackend() : sqliteBackend({ path: database }),
    schema: z.object({ counter: z.number().default(0) }),
    principal,
    ttlMs,
    server({ session }) {
      const server = new McpServer({ name: 'counter', version: '1.0.0' }, { capabilities: { logging: {} } })
      server.registerTool('count', { description: 'Counts the calls of this session.' }, async () => {
        const { counter } = await session.update((metadata) => ({ ...metadata, counter: metadata.counter + 1 }))
        return { content: [{ type: 'text', text: String(counter) }] }
      })
      const announce = { description: 'Sends a text to whoever listens.', inputSchema: z.object({ text: z.string() }) }
      server.registerTool('announce', announce, async ({ text }) => {
        await server.server.sendLoggingMessage({ level: 'info', data: text })
        return { content: [{ type: 'text', text: 'sent' }] }
      })
      return server
    },
  })
}
