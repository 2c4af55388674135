import { openSessions, type Sessions, type SessionsOptions } from '@mcp-session/core'

/**
 * Which nodes live. A node that runs streamed calls keeps a record of an internal kind alive; one that is gone lets it expire, and
 * whoever waits for its calls learns of it. Expiry is judged by the store's clock, which on shared engines is the engine's.
 */
export interface Heartbeats {
  /** Resolves when this node's record is live; it stays so until every call of `release`, and for a while after. Rejects in an outage. */
  hold(): Promise<void>
  release(): void
  /** Whether a node's record is live. Rejects where the store does not answer. */
  isAlive(node: string): Promise<boolean>
  /** Deletes this node's record: its calls are orphans at once. */
  close(): Promise<void>
}

export interface HeartbeatsOptions {
  /** The options of the handler's own store, whose backend and clock are shared. */
  readonly store: Pick<SessionsOptions, 'backend' | 'callTimeoutMs' | 'now' | 'onError'>
  readonly node: string
  /** A record lives that long after the last renewal. */
  readonly deadAfterMs: number
}

/** Renewals in that time; one may be late and one may fail. */
const renewalsPerLife = 4
/** Renewals after the last release: calls that follow each other find the record there. */
const lingeringRenewals = 30

export async function openHeartbeats({ store, node, deadAfterMs }: HeartbeatsOptions): Promise<Heartbeats> {
  const { backend, callTimeoutMs, now, onError } = store
  const nodes: Sessions = await openSessions({
    backend,
    callTimeoutMs,
    now,
    onError,
    kind: '!node',
    ttlMs: deadAfterMs,
    // Looking at a node must not keep it alive.
    touchIntervalMs: Number.POSITIVE_INFINITY,
    cleanupIntervalMs: 0,
    cacheBytes: 0,
  })
  const ownId = idOf(node)
  let holders = 0
  let unused = 0
  let timer: NodeJS.Timeout | undefined
  let begun: Promise<void> | undefined
  let renewing: Promise<void> | undefined
  let renewedAt = 0
  let isClosed = false

  async function renewOnce(): Promise<void> {
    const at = performance.now()
    if (!(await nodes.touch(ownId)) && !isClosed) await nodes.create(undefined, { id: ownId })
    renewedAt = at
  }

  function renew(): Promise<void> {
    renewing ??= renewOnce().finally(() => {
      renewing = undefined
    })
    return renewing
  }

  function begin(): Promise<void> {
    const first = renew()
    timer = setInterval(tick, Math.ceil(deadAfterMs / renewalsPerLife)).unref()
    first.catch(stop)
    return first
  }

  function tick(): void {
    unused = holders === 0 ? unused + 1 : 0
    if (unused <= lingeringRenewals) {
      // An outage is told by the calls that it hits; the next renewal is near.
      renew().catch(() => {})
      return
    }
    // Not deleted: it expires, and a deletion on its way could take a record that the next call has just made.
    stop()
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
    begun = undefined
    unused = 0
  }

  return {
    async hold() {
      holders += 1
      unused = 0
      begun ??= begin()
      try {
        await begun
        // After an outage the record may have expired, and the next renewal is still to come.
        if (performance.now() - renewedAt > deadAfterMs / 2) await renew()
      } catch (error) {
        holders -= 1
        throw error
      }
    },
    release() {
      holders -= 1
    },
    async isAlive(other) {
      return (await nodes.retrieve(idOf(other))) !== undefined
    },
    async close() {
      const wasBegun = begun !== undefined
      isClosed = true
      stop()
      await renewing?.catch(() => {})
      // The store may be out of order at the end; then the record expires.
      if (wasBegun) await nodes.delete(ownId).catch(() => {})
      await nodes.close()
    },
  }
}

function idOf(node: string): string {
  return `!node_${node}`
}
