import { performance } from 'node:perf_hooks'
import { SessionError } from '@mcp-session/core/backend'
import { type Cluster, Command, type Redis } from 'ioredis'
import { isRedirection, RedisFault } from './redis-errors.ts'

/** One command, to be sent at most once and not after its deadline. */
export interface Dispatch {
  readonly name: string
  readonly args: readonly (string | number)[]
  /** What is written, where `args` are only as many as decide the slot. */
  readonly request?: Buffer | undefined
  /** On the scale of `performance.now()`. */
  readonly deadlineAt: number
  /** On a cluster: the slot whose master gets a command that has no key. */
  readonly slot?: number | undefined
}

/** An answer that is in the socket already beats the timer. */
const graceMs = 20
const ping = '*1\r\n$4\r\nPING\r\n'

/**
 * Sends a command through a client of ioredis, whatever the client's options are. By itself ioredis keeps commands for later while it
 * is not connected, and sends those again whose reply got lost: a create would then meet its own record. So the command decides when it
 * is written to the socket: a second time, or too late, it writes a PING in its place, which keeps the driver's order of replies.
 */
export function sendOnce(client: Redis | Cluster, { name, args, request, deadlineAt, slot }: Dispatch): Promise<unknown> {
  if (performance.now() >= deadlineAt) return Promise.reject(notSent())
  return new Promise((resolve, reject) => {
    const command = new Command(name, [...args], { replyEncoding: 'utf8' })
    const write = command.toWritable.bind(command)
    let socket: object | undefined
    let isWaiting = false
    let isReplaced = false
    let isSettled = false

    command.toWritable = (into) => {
      isReplaced = isSettled || isWaiting || performance.now() >= deadlineAt
      if (isReplaced) return ping
      socket = into
      isWaiting = true
      return request ?? write(into)
    }
    onRejection(command, (error) => {
      // The driver follows by itself where the server has refused, or where nothing was sent yet; a sent command it would send again.
      if (isRedirection(error)) isWaiting = false
      else if (isWaiting) settle(() => reject(error))
    })
    let timer = deadlineAt === Number.POSITIVE_INFINITY ? undefined : setTimeout(nearlyLate, untilMs(deadlineAt))

    function nearlyLate(): void {
      timer = setTimeout(performance.now() >= deadlineAt ? late : nearlyLate, Math.max(graceMs, untilMs(deadlineAt)))
    }

    function late(): void {
      // Nothing else tells that a server has stopped, or that a network swallows everything: the connection must go.
      if (isWaiting) destroy(socket)
      settle(() => reject(isWaiting ? noReply() : notSent()))
    }

    function settle(act: () => void): void {
      if (isSettled) return
      isSettled = true
      clearTimeout(timer)
      act()
    }

    const sent = slot === undefined || !client.isCluster ? client.sendCommand(command) : client.sendCommand(command, undefined, { slot })
    Promise.resolve(sent).then(
      (reply) => settle(() => (isReplaced ? reject(isWaiting ? noReply() : notSent()) : resolve(reply))),
      (error: unknown) => settle(() => reject(isWaiting ? error : unsent(error))),
    )
  })
}

/** ioredis calls `reject` where a reply is an error or a connection ends; its cluster client puts its own in that place first. */
function onRejection(command: Command, look: (error: Error) => void): void {
  let reject = command.reject
  Object.defineProperty(command, 'reject', {
    get() {
      const inner = reject
      return (error: Error) => {
        look(error)
        inner.call(command, error)
      }
    },
    set(next: Command['reject']) {
      reject = next
    },
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
