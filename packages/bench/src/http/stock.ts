import type { IncomingMessage, ServerResponse } from 'node:http'

/** What the transports of both SDK majors have in common here. */
export interface StockTransport {
  handleRequest(req: IncomingMessage, res: ServerResponse): Promise<void>
}

export type ConnectStock = (onOpened: (sessionId: string, transport: StockTransport) => void) => Promise<StockTransport>

/** The SDK's own sessions as its documentation wires them: a transport per session in a map, answers as JSON. */
export function stockHandler(connect: ConnectStock): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const transports = new Map<string, StockTransport>()
  return async (req, res) => {
    const id = req.headers['mcp-session-id']
    const known = typeof id === 'string' ? transports.get(id) : undefined
    const transport = known ?? (await connect((sessionId, opened) => transports.set(sessionId, opened)))
    await transport.handleRequest(req, res)
  }
}
