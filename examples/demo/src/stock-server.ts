import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import { listenOnLoopback } from '@mcp-session/test-processes'

export type Say = (text: string) => Promise<void>

/** One server object of the SDK with its transport. */
export interface StockSession {
  readonly say: Say
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>
}

/**
 * Serves sessions out of a map in memory, and answers the lines that the example server answers. A request without a
 * session in the map goes to a transport of its own: what it is answered is the SDK's word, not ours.
 */
export async function serveStock(open: (live: Map<string, StockSession>) => Promise<StockSession>): Promise<void> {
  const live = new Map<string, StockSession>()
  const server = createServer(async (incoming, outgoing) => {
    const id = incoming.headers['mcp-session-id']
    const session = (typeof id === 'string' ? live.get(id) : undefined) ?? (await open(live))
    await session.handle(incoming, outgoing)
  })
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const [, id = '', word = ''] = /^notify (\S+) (\S+)$/.exec(line) ?? []
    const text = `report '${word}' ready, says ${process.pid}`
    await live.get(id)?.say(text)
    console.log(`notified ${id}: ${text}`)
  })
  const { url } = await listenOnLoopback(server)
  console.log(`listening on ${url}/mcp`)
}
