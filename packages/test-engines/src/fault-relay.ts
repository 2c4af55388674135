import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { resetSocket } from '@mcp-session/test-processes'
import { type Ambush, type FaultyLine, faultyLine, type LineMode } from './faulty-line.ts'
import { freePort } from './free-port.ts'

/**
 * `forward`: everything passes, also what a black hole has kept · `black-hole`: nothing passes, connections stay open, and new ones
 * are made (by the operating system, as to a stopped process) · `reset`: live and new connections are reset · `drop-replies`: what
 * a client says reaches the server, nothing comes back · `refuse`: nobody listens, and live connections are reset.
 */
export type FaultMode = LineMode | 'reset' | 'refuse'

/** A TCP relay in front of an engine. */
export interface FaultRelay extends AsyncDisposable {
  readonly port: number
  /**
   * For live and new connections. Leaving `drop-replies` resets those that have lost a reply, and after `refuse` the port listens
   * again a moment later.
   */
  mode(mode: FaultMode): void
  /** Everything arrives that much later, in each direction. In milliseconds; 0: at once. */
  delay(ms: number): void
  /**
   * Once bytes of a client match (all that one connection has said since this call, at most its last 1 MiB): they reach the server,
   * their reply never arrives, and the connection is reset. Resolves then, for the first connection; rejects when the relay closes before.
   */
  dropRepliesAfter(match: (bytes: Buffer) => boolean): Promise<void>
  close(): Promise<void>
}

/** Starts a relay on a free port of 127.0.0.1 to another port there. */
export async function startFaultRelay({ target }: { readonly target: number }): Promise<FaultRelay> {
  const lines = new Set<FaultyLine>()
  const ambushes = new Map<Ambush, (error: Error) => void>()
  let current: FaultMode = 'forward'
  let delayMs = 0
  let closed: Promise<unknown> | undefined

  function accept(client: Socket): void {
    if (current === 'reset' || current === 'refuse') {
      client.on('error', () => {})
      resetSocket(client)
      return
    }
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true })
    const line = faultyLine({ client, upstream, mode: current, delayMs: () => delayMs, onEnd: () => lines.delete(line) })
    for (const ambush of ambushes.keys()) line.lieInWait(ambush)
    lines.add(line)
  }

  async function listen(port: number): Promise<Server> {
    const listening = createServer({ noDelay: true, allowHalfOpen: true }, accept)
    listening.listen(port, '127.0.0.1')
    await once(listening, 'listening')
    return listening
  }

  let server = listen(await freePort(Math.random))
  const address = (await server).address()
  if (address === null || typeof address === 'string') throw new Error('The relay listens on no TCP port.')
  const { port } = address

  function resetAll(): void {
    for (const line of lines) line.reset()
  }

  const relay: FaultRelay = {
    port,
    mode(next) {
      if (closed !== undefined) throw new Error('The relay is closed.')
      if (next === 'refuse' && current !== 'refuse')
        server.then(
          (listening) => listening.close(),
          () => {},
        )
      if (next !== 'refuse' && current === 'refuse') server = server.then(() => listen(port))
      current = next
      if (next === 'reset' || next === 'refuse') resetAll()
      else for (const line of lines) line.mode(next)
    },
    delay(ms) {
      if (!(ms >= 0)) throw new RangeError(`A delay is a number of milliseconds from 0, not ${ms}`)
      delayMs = ms
    },
    dropRepliesAfter(match) {
      return new Promise((resolve, reject) => {
        const ambush: Ambush = {
          match,
          caught() {
            for (const line of lines) line.giveUp(ambush)
          },
          sprung() {
            ambushes.delete(ambush)
            resolve()
          },
        }
        ambushes.set(ambush, reject)
        for (const line of lines) line.lieInWait(ambush)
      })
    },
    async close() {
      closed ??= end()
      await closed
    },
    async [Symbol.asyncDispose]() {
      await relay.close()
    },
  }

  async function end(): Promise<void> {
    for (const reject of ambushes.values()) reject(new Error('The relay was closed before such bytes came.'))
    ambushes.clear()
    const listening = await server
    await new Promise<void>((resolve) => {
      listening.close(() => resolve())
      resetAll()
    })
  }

  return relay
}
