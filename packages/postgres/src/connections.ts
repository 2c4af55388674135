import { performance } from 'node:perf_hooks'
import pg, { type Pool, type PoolClient } from 'pg'
import type { PostgresSettings } from './options.ts'
import { classify, notSent } from './postgres-errors.ts'

/** The connections of an open backend, its own or lent. */
export interface Connections {
  readonly pool: Pool
  /** A connection for the caller alone, until it gives it back. Rejects at `deadlineAt`, or at once where waiting is no use. */
  lease(deadlineAt: number): Promise<Lease>
  /** Ends what is its own, and takes its listeners off what is not. Nobody holds a lease any more. */
  close(): Promise<void>
}

export interface Lease {
  readonly client: PoolClient
  /** `broken`: it must not be used again. */
  giveBack(broken: boolean): void
}

interface Waiter {
  readonly deadlineAt: number
  resolve(lease: Lease): void
  reject(error: unknown): void
}

/** How often those who wait are looked at. */
const tickMs = 50
/** A connection attempt that has got no answer for so long gets company: the network may be back, and the old one will not know. */
const anotherAfterMs = 500
/** Sockets that do not close by themselves: of an engine that is stopped, or out of reach. */
const closeWithinMs = 1_000

export function connections(source: PostgresSettings['source']): Connections {
  const owned = source.kind === 'url'
  const pool = source.kind === 'url' ? new pg.Pool(source.config) : source.pool
  const clients = new Set<PoolClient>()
  let waiting: Waiter[] = []
  let asked = 0
  let askedAt = 0
  let restUntil = 0
  let lastError: unknown
  let timer: NodeJS.Timeout | undefined

  // Without a listener, an idle connection that dies would end the process. The pool has dropped it by then.
  pool.on('error', ignore)
  if (owned) {
    pool.on('connect', (client) => clients.add(client))
    pool.on('remove', (client) => clients.delete(client))
  }

  function lease(deadlineAt: number): Promise<Lease> {
    return new Promise((resolve, reject) => {
      waiting.push({ deadlineAt, resolve, reject })
      timer ??= setInterval(look, tickMs)
      while (asked < waiting.length && performance.now() >= restUntil) ask()
    })
  }

  function ask(): void {
    asked += 1
    askedAt = performance.now()
    // With a promise there would be a moment without a listener: one packet may bring a connection's last step and its end.
    pool.connect((error, client) => {
      asked -= 1
      lastError = error
      if (client === undefined) refused(error)
      else {
        restUntil = 0
        const [next] = waiting.splice(0, 1)
        if (next === undefined) client.release()
        else next.resolve(leaseOf(client))
      }
      rest()
    })
  }

  /** Whoever is refused asks again, but not at once: many nodes may be waiting for one engine to come back. */
  function refused(error: unknown): void {
    restUntil = performance.now() + 50 + 100 * Math.random()
    if (classify(error)?.retryable !== true) for (const { reject } of waiting.splice(0)) reject(error)
  }

  function look(): void {
    const now = performance.now()
    const late = waiting.filter(({ deadlineAt }) => deadlineAt <= now)
    waiting = waiting.filter(({ deadlineAt }) => deadlineAt > now)
    for (const { reject } of late) reject(notSent(lastError))
    if (now >= restUntil) {
      if (asked < waiting.length) ask()
      else if (owned && waiting.length > 0 && now - askedAt >= anotherAfterMs && asked < pool.options.max) ask()
    }
    rest()
  }

  function rest(): void {
    if (waiting.length > 0) return
    clearInterval(timer)
    timer = undefined
  }

  async function close(): Promise<void> {
    pool.off('error', ignore)
    if (!owned) return
    pool.on('error', ignore)
    await pool.end()
    await Promise.all([...clients].map(ended))
  }

  return { pool, lease, close }
}

function leaseOf(client: PoolClient): Lease {
  // While nobody but us holds the client, its errors are told to nobody else; the statement that it carries rejects with them.
  client.on('error', ignore)
  return {
    client,
    giveBack(broken) {
      client.off('error', ignore)
      client.release(broken)
    },
  }
}

/** Resolves once the socket of a client that was told to end is closed, by force if need be. */
function ended(client: PoolClient): Promise<void> {
  return new Promise((resolve) => {
    const { stream } = client.connection
    if (stream.destroyed) {
      resolve()
      return
    }
    const timer = setTimeout(() => stream.destroy(), closeWithinMs)
    stream.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Failures reach the calls that they concern. */
function ignore(): void {}
