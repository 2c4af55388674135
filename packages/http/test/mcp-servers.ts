import type { StandardSchema } from '@mcp-session/core'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { ServerFactory, SessionHandle } from '../src/index.ts'

export interface Counter extends Record<string, unknown> {
  counter: number
}

export const counterSchema: StandardSchema<Counter> = z.object({ counter: z.number().default(0) })

/** Calls of the tool `hold` that wait to be let go, by the word they were called with. */
export type Holds = Map<string, () => void>

export interface ServerOptions {
  readonly holds?: Holds
  /** Told when a tool runs, so that a test can wait for it. */
  readonly onTool?: (name: string) => void
}

/** The same server on both SDK majors. */
export function serverFactory(major: 1 | 2, options: ServerOptions = {}): ServerFactory<Counter> {
  return ({ session }) => (major === 1 ? serverV1(session, options) : serverV2(session, options))
}

async function count(session: SessionHandle<Counter>) {
  const { counter } = await session.update((metadata) => ({ ...metadata, counter: metadata.counter + 1 }))
  return text(String(counter))
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] }
}

function held(word: string, { holds, onTool }: ServerOptions): Promise<void> {
  return new Promise((resolve) => {
    holds?.set(word, resolve)
    onTool?.(`hold ${word}`)
  })
}

function serverV1(session: SessionHandle<Counter>, options: ServerOptions): McpServerV1 {
  const server = new McpServerV1({ name: 'counter', version: '1' }, { capabilities: { logging: {} } })
  server.registerTool('count', { description: 'adds one' }, () => count(session))
  server.registerTool('peek', { description: 'reads' }, () => text(`${session.metadata.counter} ${session.owner}`))
  server.registerTool('client', { description: 'who is it' }, () => text(JSON.stringify(server.server.getClientVersion())))
  server.registerTool('end', { description: 'ends the session' }, async () => text(String(await session.terminate())))
  server.registerTool('notify', { inputSchema: { word: z.string() } }, async ({ word }) => {
    await server.server.sendLoggingMessage({ level: 'warning', data: word })
    return text('sent')
  })
  server.registerTool('hold', { inputSchema: { word: z.string() } }, async ({ word }, extra) => {
    const progressToken = extra._meta?.progressToken
    if (progressToken !== undefined) {
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress: 1, message: word } })
    }
    await held(word, options)
    return text(word)
  })
  server.registerTool('ask', { inputSchema: { word: z.string() } }, async ({ word }, extra) => {
    const roots = await extra.sendRequest({ method: 'roots/list' }, z.object({ roots: z.array(z.object({ uri: z.string() })) }))
    return text(`${word} ${roots.roots.map(({ uri }) => uri).join()}`)
  })
  server.registerTool('log', { inputSchema: { level: z.enum(['debug', 'error']) } }, async ({ level }) => {
    await server.sendLoggingMessage({ level, data: level }, session.id)
    return text('logged')
  })
  return server
}

function serverV2(session: SessionHandle<Counter>, options: ServerOptions): McpServerV2 {
  const server = new McpServerV2({ name: 'counter', version: '1' }, { capabilities: { logging: {} } })
  const word = z.object({ word: z.string() })
  server.registerTool('count', { description: 'adds one' }, () => count(session))
  server.registerTool('peek', { description: 'reads' }, () => text(`${session.metadata.counter} ${session.owner}`))
  server.registerTool('client', { description: 'who is it' }, () => text(JSON.stringify(server.server.getClientVersion())))
  server.registerTool('end', { description: 'ends the session' }, async () => text(String(await session.terminate())))
  server.registerTool('notify', { inputSchema: word }, async (given) => {
    await server.server.sendLoggingMessage({ level: 'warning', data: given.word })
    return text('sent')
  })
  server.registerTool('hold', { inputSchema: word }, async (given, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    if (progressToken !== undefined) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1, message: given.word } })
    }
    await held(given.word, options)
    return text(given.word)
  })
  server.registerTool('ask', { inputSchema: word }, async (given, { mcpReq }) => {
    const { roots } = await mcpReq.send({ method: 'roots/list' })
    return text(`${given.word} ${roots.map(({ uri }) => uri).join()}`)
  })
  server.registerTool('log', { inputSchema: z.object({ level: z.enum(['debug', 'error']) }) }, async ({ level }) => {
    await server.sendLoggingMessage({ level, data: level }, session.id)
    return text('logged')
  })
  return server
}
