import { performance } from 'node:perf_hooks'
import { type Call, SessionError } from '@mcp-session/core/backend'
import { RedisFault } from './redis-errors.ts'

/** Holds calls while there is no connection: until there is one again, or their deadlines come. Nothing of them is with the driver. */
export interface Gate {
  /** `undefined`: go on at once. */
  pass(call: Call): Promise<void> | undefined
}

interface Waiter {
  readonly call: Call
  resolve(): void
  reject(error: unknown): void
}

export interface GateOptions {
  /** Asked again and again, so that a lent client gets no listeners. */
  isOpen(): boolean
  /** Why it is not. */
  lastError(): unknown
}

const maxWaiting = 16_384
const tickMs = 10

/** One timer for all, and only while somebody waits. */
export function gate({ isOpen, lastError }: GateOptions): Gate {
  let waiting: Waiter[] = []
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const now = performance.now()
    const open = isOpen()
    const before = waiting
    waiting = []
    for (const waiter of before) {
      const { call } = waiter
      if (call.signal?.aborted) waiter.reject(call.signal.reason)
      else if (call.deadlineAt <= now)
        waiter.reject(new RedisFault('unsent', 'No connection to Redis by the deadline: nothing was sent', lastError()))
      else if (open) waiter.resolve()
      else waiting.push(waiter)
    }
    if (waiting.length > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    pass(call) {
      if (waiting.length === 0 && isOpen()) return undefined
      if (waiting.length >= maxWaiting) return Promise.reject(overloaded())
      return new Promise((resolve, reject) => {
        waiting.push({ call, resolve, reject })
        timer ??= setInterval(look, tickMs)
      })
    },
  }
}

function overloaded(): SessionError {
  return new SessionError('MCP_SESSION_OVERLOADED', `${maxWaiting} calls wait for a connection to redis already: shed load`, {
    retryable: true,
  })
}
