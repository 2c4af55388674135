import { Agent, type IncomingMessage, request } from 'node:http'

/** A session over one kept connection, with as little of a client's own cost as node:http allows. */
export interface BenchClient {
  readonly sessionId: string
  /** Milliseconds until all of the tool's answer was there. Throws where it is another one, or comes as something else. */
  call(tool: string, as?: 'json' | 'stream'): Promise<number>
  close(): void
}

interface Answer {
  readonly status: number
  readonly sessionId: string | undefined
  readonly contentType: string
  readonly text: string
}

/** One connection, which is opened with the first request and kept. */
export function newConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 })
}

/** Makes a session on the server at that port. */
export async function openClient(port: number): Promise<BenchClient> {
  const connection = newConnection()
  const initialize = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
  }
  const { status, sessionId, text } = await post(connection, port, initialize, {})
  if (status !== 200 || sessionId === undefined) throw new Error(`initialize: ${status} ${text}`)
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const accepted = await post(connection, port, initialized, headersOf(sessionId))
  if (accepted.status !== 202) throw new Error(`initialized: ${accepted.status} ${accepted.text}`)
  return knownClient(port, sessionId, connection)
}

/** A client of a session that exists already, perhaps on another node. */
export function knownClient(port: number, sessionId: string, connection: Agent = newConnection()): BenchClient {
  const headers = headersOf(sessionId)
  let id = 0
  return {
    sessionId,
    async call(tool, as = 'json') {
      id += 1
      const began = performance.now()
      const answer = await post(
        connection,
        port,
        { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: {} } },
        headers,
      )
      const took = performance.now() - began
      const { status, contentType, text } = answer
      const isAsExpected = contentType.startsWith(as === 'json' ? 'application/json' : 'text/event-stream')
      if (status === 200 && isAsExpected && text.includes(`"text":"${tool}"`)) return took
      throw new Error(`The tool ${tool} answered ${status} ${contentType} ${text}`)
    },
    close() {
      connection.destroy()
    },
  }
}

function headersOf(sessionId: string): Record<string, string> {
  return { 'mcp-session-id': sessionId, 'mcp-protocol-version': '2025-11-25' }
}

function post(connection: Agent, port: number, message: unknown, headers: Record<string, string>): Promise<Answer> {
  const body = JSON.stringify(message)
  return new Promise((resolve, reject) => {
    const sent = request({
      agent: connection,
      host: '127.0.0.1',
      port,
      path: '/mcp',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    })
    sent.once('error', reject)
    sent.once('response', (response) => {
      answerOf(response).then(resolve, reject)
    })
    sent.end(body)
  })
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  const sessionId = response.headers['mcp-session-id']
  return {
    status: response.statusCode ?? 0,
    sessionId: typeof sessionId === 'string' ? sessionId : undefined,
    contentType: response.headers['content-type'] ?? '',
    text,
  }
}
