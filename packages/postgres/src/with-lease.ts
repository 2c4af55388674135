import { performance } from 'node:perf_hooks'
import type { Connections, Lease } from './connections.ts'
import { classify } from './postgres-errors.ts'
import { pause } from './wire.ts'

/** How long an engine that cannot be reached is waited for, where there is no call's deadline. */
const reachWithinMs = 5_000

/** Several statements on one connection, which is destroyed when they take longer. A connection that breaks is replaced, and all is done again. */
export async function withLease<T>(connections: Connections, withinMs: number, work: (lease: Lease) => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  for (;;) {
    try {
      const lease = await connections.lease(performance.now() + Math.min(withinMs, reachWithinMs))
      return await bounded(lease, withinMs, work)
    } catch (error) {
      const known = classify(error)
      const isPassing = known?.code === 'MCP_SESSION_UNAVAILABLE' && known.retryable
      if (!isPassing || performance.now() - startedAt >= Math.min(withinMs, reachWithinMs)) throw error
      await pause(50 + 100 * Math.random())
    }
  }
}

async function bounded<T>(lease: Lease, withinMs: number, work: (lease: Lease) => Promise<T>): Promise<T> {
  let held = true
  const giveBack = (broken: boolean) => {
    if (held) lease.giveBack(broken)
    held = false
  }
  const timer = setTimeout(giveBack, withinMs, true)
  try {
    const result = await work(lease)
    giveBack(false)
    return result
  } catch (error) {
    giveBack(true)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
