import { performance } from 'node:perf_hooks'
import { SessionError } from '@mcp-session/core/backend'
import type { Cluster, Redis } from 'ioredis'
import { type Once, OnceCommand } from './once-command.ts'
import { RedisFault } from './redis-errors.ts'

/** One command, to be sent at most once and not after its deadline. */
export interface Dispatch extends Once {
  /** On a cluster: the slot whose master gets a command that has no key. */
  readonly slot?: number | undefined
}

/** An answer that is in the socket already beats the timer. */
const graceMs = 20

/** Sends a command through a client of ioredis, whatever the client's options are. */
export function sendOnce(client: Redis | Cluster, dispatch: Dispatch): Promise<unknown> {
  const { deadlineAt, slot } = dispatch
  if (performance.now() >= deadlineAt) return Promise.reject(notSent())
  return new Promise((resolve, reject) => {
    const command = new OnceCommand(dispatch)
    command.onLost = (error) => settle(() => reject(error))
    let timer = deadlineAt === Number.POSITIVE_INFINITY ? undefined : setTimeout(nearlyLate, untilMs(deadlineAt))

    function nearlyLate(): void {
      timer = setTimeout(performance.now() >= deadlineAt ? late : nearlyLate, Math.max(graceMs, untilMs(deadlineAt)))
    }

    function late(): void {
      // Nothing else tells that a server has stopped, or that a network swallows everything: the connection must go.
      if (command.isUnanswered) destroy(command.socket)
      settle(() => reject(command.isUnanswered ? noReply() : notSent()))
    }

    function settle(act: () => void): void {
      if (command.isTold) return
      command.isTold = true
      clearTimeout(timer)
      act()
    }

    const sent = slot === undefined || !client.isCluster ? client.sendCommand(command) : client.sendCommand(command, undefined, { slot })
    Promise.resolve(sent).then(
      (reply) => settle(() => (command.isPing ? reject(command.isUnanswered ? noReply() : notSent()) : resolve(reply))),
      (error: unknown) => settle(() => reject(command.isUnanswered ? error : unsent(error))),
    )
  })
}

function destroy(socket: object | undefined): void {
  if (socket !== undefined && 'destroy' in socket && typeof socket.destroy === 'function') socket.destroy()
}

/** Longer timers than 2³¹−1 ms fire at once. */
function untilMs(deadlineAt: number): number {
  return Math.min(Math.max(0, deadlineAt - performance.now()), 2 ** 31 - 1)
}

function noReply(): RedisFault {
  return new RedisFault('no-reply', 'Redis was asked, and did not answer before the connection ended or the deadline came')
}

function unsent(cause: unknown): unknown {
  return new RedisFault('unsent', 'There is no connection to Redis now: nothing was sent', cause)
}

function notSent(): SessionError {
  return new SessionError('MCP_SESSION_TIMEOUT', 'The call could not be sent to redis by its deadline: nothing was done', {
    retryable: true,
  })
}
