import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** A handler behind node:http on a free port of this machine. */
export interface Listening {
  readonly url: URL
  readonly port: number
  /** Cuts every connection, as a broken line does. */
  cut(): void
  close(): Promise<void>
}

export async function listen(handle: (req: IncomingMessage, res: ServerResponse) => unknown, port = 0): Promise<Listening> {
  const server: Server = createServer((req, res) => {
    // A client in this same process would reuse a connection that has just been cut, before it hears of the cut.
    res.setHeader('Connection', 'close')
    void handle(req, res)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: new URL(`http://127.0.0.1:${address.port}/mcp`),
    port: address.port,
    cut: () => server.closeAllConnections(),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
