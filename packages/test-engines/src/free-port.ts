import { createServer } from 'node:net'

/**
 * A port of 127.0.0.1 on which nobody listens now, nor on the one 10,000 above it (where a Redis Cluster node has its bus). Below
 * the range of outgoing connections: one of those could take the port of an engine that is down, or connect to itself there.
 */
export async function freePort(random: () => number): Promise<number> {
  for (let tries = 0; tries < 1_000; tries++) {
    const port = 10_000 + Math.floor(random() * 12_000)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
  throw new Error('No free port between 10,000 and 22,000 on 127.0.0.1.')
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
