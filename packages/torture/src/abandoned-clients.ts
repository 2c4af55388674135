import { Agent, type IncomingMessage, request } from 'node:http'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** Clients that come, and go without a word: none of them deletes its session. */
export interface Abandoners extends Disposable {
  /** One request `initialize` for a principal of its own, and for some of them a little more. */
  raw(index: number): Promise<void>
  /** A stock client of either major: it connects, listens and calls; then it is gone, some in the middle of a call. */
  stock(index: number): Promise<void>
  /** A POST, a GET and a DELETE with an id that nobody has: their statuses. */
  unknown(index: number): Promise<readonly number[]>
}

const version = '2025-11-25'
const identity = { name: 'abandoner', version: '1' }

export function abandoners(port: number, name: string): Abandoners {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const url = new URL(`http://127.0.0.1:${port}/mcp`)

  interface Sent {
    readonly method?: 'POST' | 'GET' | 'DELETE'
    readonly principal: string
    readonly sessionId?: string
    readonly message?: unknown
    /** Hangs up as soon as the response begins. */
    readonly vanish?: boolean
  }

  function send({ method = 'POST', principal, sessionId, message, vanish = false }: Sent): Promise<IncomingMessage> {
    const body = message === undefined ? '' : JSON.stringify(message)
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        // A connection that is to be cut is nobody else's.
        agent: vanish ? new Agent() : agent,
        method,
        headers: {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'x-principal': principal,
          ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId, 'mcp-protocol-version': version }),
        },
      })
      sent.once('error', reject)
      sent.once('response', (response) => {
        if (vanish) {
          response.once('data', () => sent.destroy())
          response.once('error', () => {})
          sent.removeListener('error', reject).on('error', () => {})
          sent.once('close', () => resolve(response))
          return
        }
        response.resume()
        response.once('end', () => resolve(response))
      })
      sent.end(body)
    })
  }

  async function initialize(principal: string): Promise<string> {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: identity }
    const { statusCode, headers } = await send({ principal, message: { jsonrpc: '2.0', id: 0, method: 'initialize', params } })
    const sessionId = headers['mcp-session-id']
    if (statusCode !== 200 || typeof sessionId !== 'string') throw new Error(`initialize is answered with ${statusCode}`)
    return sessionId
  }

  function call(tool: string): unknown {
    return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } }
  }

  return {
    async raw(index) {
      const principal = `${name} ${index}`
      const sessionId = await initialize(principal)
      if (index % 10 === 1) await send({ principal, sessionId, message: call('nothing') })
      if (index % 10 === 2) await send({ principal, sessionId, method: 'GET', vanish: true })
      if (index % 50 === 3) await send({ principal, sessionId, message: call('slow'), vanish: true })
    },
    async stock(index) {
      const given = { requestInit: { headers: { 'x-principal': `${name} stock ${index}` } } }
      await (index % 2 === 0 ? useV1(new TransportV1(url, given), index) : useV2(new TransportV2(url, given), index))
    },
    async unknown(index) {
      const known = { principal: `${name} ${index}`, sessionId: `s_unknown${String(index).padStart(36, '0')}` }
      const responses = [
        await send({ ...known, message: call('nothing') }),
        await send({ ...known, method: 'GET' }),
        await send({ ...known, method: 'DELETE' }),
      ]
      return responses.map(({ statusCode = 0 }) => statusCode)
    },
    [Symbol.dispose]() {
      agent.destroy()
    },
  }
}

async function useV1(transport: TransportV1, index: number): Promise<void> {
  const client = new ClientV1(identity)
  await client.connect(transport as Parameters<typeof client.connect>[0])
  await client.callTool({ name: 'nothing' })
  await leave(index, client, () => client.callTool({ name: 'slow' }))
}

async function useV2(transport: TransportV2, index: number): Promise<void> {
  const client = new ClientV2(identity)
  await client.connect(transport)
  await client.callTool({ name: 'nothing' })
  await leave(index, client, () => client.callTool({ name: 'slow' }))
}

/** Closing a stock client ends its requests and streams, and tells the server nothing. */
async function leave(index: number, client: { close(): Promise<void> }, call: () => Promise<unknown>): Promise<void> {
  if (index % 3 === 0) await call()
  const last = index % 3 === 1 ? call().catch(() => {}) : undefined
  await client.close()
  await last
}
