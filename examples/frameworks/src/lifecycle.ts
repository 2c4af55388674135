import type { Server } from 'node:http'

/** Says where the server listens. */
export function announceUrl(server: Server): void {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(`listening on http://127.0.0.1:${address.port}/mcp`)
}

/** At SIGTERM: clients are told to come back, running calls finish, and the process ends. */
export function endAtSigterm(server: Server, handler: { close(): Promise<void> }, stop: () => unknown = () => server.close()): void {
  process.once('SIGTERM', async () => {
    await handler.close()
    stop()
    // A stream that ended just now leaves its connection open for a next request.
    setImmediate(() => server.closeIdleConnections())
    // A client that does not read its stream, or has connected and never asked, must not keep the process.
    setTimeout(() => server.closeAllConnections(), 1_000).unref()
  })
}
