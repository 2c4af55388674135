import { connect, createServer, type Socket } from 'node:net'
import { listenOnLoopback } from './loopback.ts'
import { createNews } from './news.ts'
import { type ObservedRequest, observeRequests } from './observed-request.ts'
import { resetSocket } from './reset-socket.ts'

/** A line between a client and a server on this host that can be cut and put back. */
export interface Relay extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Every HTTP request that crossed, in order. */
  readonly requests: readonly ObservedRequest[]
  /** The first request that is accepted, crossed already or within the bound (default 10 s); looked at again with every byte. */
  seen(accept: (request: ObservedRequest) => boolean, withinMs?: number): Promise<ObservedRequest>
  /** Resets all connections, and every new one at once: the port stays ours. */
  cut(): void
  /** Lets connections through again, to another port of 127.0.0.1 if given. */
  restore(target?: number): void
  close(): Promise<void>
}

/** Starts a TCP relay on a free port of 127.0.0.1 to another port there. */
export async function startRelay({ target }: { readonly target: number }): Promise<Relay> {
  const sockets = new Set<Socket>()
  const requests: ObservedRequest[] = []
  const news = createNews()
  let port = target
  let open = true
  let connections = 0

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {})
    if (!open) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    const observer = observeRequests(connections++, (request) => requests.push(request), news.tell)
    client.on('data', observer.fromClient)
    upstream.on('data', observer.fromServer)
    client.pipe(upstream)
    upstream.pipe(client)
    upstream.on('error', () => resetSocket(client))
    client.on('error', () => resetSocket(upstream))
    client.once('close', observer.end)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        news.tell()
      })
    }
  })
  const address = await listenOnLoopback(server)

  const relay: Relay = {
    ...address,
    requests,
    async seen(accept, withinMs = 10_000) {
      await news.until(() => requests.some(accept), withinMs)
      const found = requests.find(accept)
      if (found === undefined) throw new Error(`No such request crossed the relay within ${withinMs} ms; ${requests.length} others did.`)
      return found
    },
    cut() {
      open = false
      for (const socket of sockets) resetSocket(socket)
    },
    restore(next) {
      port = next ?? port
      open = true
    },
    async close() {
      relay.cut()
      const closed = new Promise((resolve) => server.close(resolve))
      const gone = await news.until(() => sockets.size === 0, 10_000)
      if (!gone) throw new Error(`${sockets.size} sockets of the relay do not close.`)
      await closed
    },
    async [Symbol.asyncDispose]() {
      await relay.close()
    },
  }
  return relay
}
