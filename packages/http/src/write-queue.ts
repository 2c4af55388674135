import { SessionError } from '@mcp-session/core'
import { ServerClosed } from './session-ended.ts'

/** Writes one after the other: the order in which the server sent is the order of the log, also where the store has to be asked again. */
export interface WriteQueue {
  /** Rejects with `OVERLOADED` where too many wait, and with what a closed server's sends get once the queue is closed. */
  inTurn<T>(write: () => Promise<T>): Promise<T>
  /** For what ends a call: it comes after the writes before it, and is not refused. */
  atLast<T>(write: () => Promise<T>): Promise<T>
  /** What waits rejects; what is on its way goes on. */
  close(): void
}

/** A tool that sends without waiting, into a store that hangs. */
const maxWaiting = 1_000

export function writeQueue(): WriteQueue {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let isClosed = false

  function atLast<T>(write: () => Promise<T>): Promise<T> {
    const turn = last.then(write)
    last = turn.catch(() => {})
    return turn
  }

  return {
    atLast,
    async inTurn(write) {
      if (isClosed) throw new ServerClosed()
      if (waiting >= maxWaiting) {
        const problem = `${maxWaiting} messages of this server wait for the store: await what send gives`
        throw new SessionError('MCP_SESSION_OVERLOADED', problem, { retryable: true })
      }
      waiting += 1
      try {
        return await atLast(() => {
          if (isClosed) throw new ServerClosed()
          return write()
        })
      } finally {
        waiting -= 1
      }
    },
    close() {
      isClosed = true
    },
  }
}
