import { once } from 'node:events'
import type { Server } from 'node:net'

export interface LoopbackAddress {
  readonly port: number
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
}

/** Listens on a free port of 127.0.0.1. */
export async function listenOnLoopback(server: Server): Promise<LoopbackAddress> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.')
  return { port: address.port, url: `http://127.0.0.1:${address.port}` }
}
