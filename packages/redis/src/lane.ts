import { performance } from 'node:perf_hooks'
import { type BatchOutcome, batcher, type Call, running, SessionError } from '@mcp-session/core/backend'
import { Command, ReplyError } from 'ioredis'
import type { Connection } from './connection.ts'
import { RedisFault } from './redis-errors.ts'
import type { Argument } from './request.ts'
import type { Script } from './script.ts'
import { underWay } from './under-way.ts'

/** One call of a script that judges call by call. */
export interface Step {
  /** Steps of one name are sent in order, never two in one flush; steps without one need no order. */
  readonly of?: string
  readonly name: string
  /** The others that the script uses begin with it. */
  readonly key: string
  readonly args: readonly Argument[]
}

/** What a step came to: a word, and what goes with it. */
export type Outcome = readonly [word: string, ...details: unknown[]]

/** Sends the steps that are pending together in one call of the script. */
export interface Lane {
  run(step: Step, call: Call): Promise<Outcome>
  /** Resolves once nothing is queued or in flight. */
  drain(): Promise<void>
}

export interface LaneOptions {
  readonly connection: Connection
  readonly script: Script
  /** Steps that travel together at most. */
  readonly maxSteps?: number
  /** Of those, how many are under way at most. */
  readonly maxFlushes?: number
  readonly replicas?: { readonly min: number; readonly waitMs: number }
}

const maxInFlight = 16_384
/** The server works on some of them while this process hands out the replies to others: a third faster than 256 in one (measured). */
export const together = { maxCalls: 64, maxFlushes: 4 } as const
/** Outcomes after which replicas have nothing new to wait for. */
const changesNothing = new Set(['exists', 'missing', 'lost', 'moved', 'arm', 'live', 'none', 'damaged', 'failed', 'kept'])

/**
 * One server runs all steps of a flush in one call. On a cluster each session has a slot of its own, and a call of a script one slot:
 * there every step is a call, sent at once, so that a master that does not answer holds up nobody else.
 */
export function scriptLane(options: LaneOptions): Lane {
  return options.connection.client.isCluster ? slotLane(options) : serverLane(options)
}

function serverLane({ connection, script, maxSteps = together.maxCalls, maxFlushes = together.maxFlushes, replicas }: LaneOptions): Lane {
  const lane = batcher<Step, Outcome>({
    name: 'redis',
    maxCalls: maxSteps,
    maxFlushes,
    flush: (steps, calls) => runSteps(connection, script, steps, latest(calls), replicas),
    isDataError: () => false,
    bytesOf: ({ args }) => args.reduce((sum, arg) => sum + lengthOf(arg), 0),
  })
  return {
    run(step, call) {
      check(step)
      return lane.run(step.of, step, call)
    },
    drain: lane.drain,
  }
}

/** What is no text would fail the whole flush. */
function check({ name, args }: Step): void {
  for (const argument of args) {
    if (typeof argument !== 'string' && !Array.isArray(argument))
      throw new TypeError(`${name} is given ${typeof argument} in the place of a text`)
  }
}

function lengthOf(argument: Argument): number {
  return typeof argument === 'string' ? argument.length : argument.reduce((sum, { length }) => sum + length, 0)
}

function slotLane({ connection, script, replicas }: LaneOptions): Lane {
  const inFlight = running()

  async function one(step: Step, call: Call): Promise<Outcome> {
    const [outcome] = await runSteps(connection, script, [step], call.deadlineAt, replicas)
    if (outcome === undefined || 'error' in outcome) throw outcome?.error
    return outcome.value
  }

  return {
    async run(step, call) {
      check(step)
      admit(call, inFlight.count)
      return underWay(inFlight, one(step, call))
    },
    drain: inFlight.idle,
  }
}

/** Refuses a call that must not be sent, where no queue does. */
export function admit(call: Call, inFlight: number): void {
  call.signal?.throwIfAborted()
  if (call.deadlineAt <= performance.now()) {
    throw new SessionError('MCP_SESSION_TIMEOUT', 'The deadline had passed before redis was asked: nothing was done', { retryable: true })
  }
  if (inFlight < maxInFlight) return
  throw new SessionError('MCP_SESSION_OVERLOADED', `${maxInFlight} calls are in flight on redis already: shed load or add capacity`, {
    retryable: true,
  })
}

/** The latest deadline there is: the connection counts as stuck only when nobody waits for it any more. */
export function latest(calls: readonly Call[]): number {
  const finite = calls.map((call) => call.deadlineAt).filter(Number.isFinite)
  return finite.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...finite)
}

async function runSteps(
  connection: Connection,
  script: Script,
  steps: readonly Step[],
  deadlineAt: number,
  replicas: LaneOptions['replicas'],
): Promise<BatchOutcome<Outcome>[]> {
  const keys: string[] = []
  const args: Argument[] = [String(steps.length)]
  for (const step of steps) {
    keys.push(step.key)
    if (connection.client.isCluster) for (const suffix of script.suffixes) keys.push(`${step.key}${suffix}`)
    args.push(step.name, String(step.args.length))
    for (const arg of step.args) args.push(arg)
  }
  const reply = (await connection.run(script, keys, args, deadlineAt)) as string | Outcome[]
  const outcomes: readonly Outcome[] = typeof reply === 'string' ? reply.split(' ').map((word) => [word]) : reply
  if (replicas !== undefined && outcomes.some(([word]) => !changesNothing.has(word))) {
    await replicated(connection, keys[0] ?? '', deadlineAt, replicas)
  }
  return outcomes.map((outcome) => (outcome[0] === 'failed' ? { error: refused(outcome[1]) } : { value: outcome }))
}

async function replicated(
  connection: Connection,
  key: string,
  deadlineAt: number,
  { min, waitMs }: NonNullable<LaneOptions['replicas']>,
): Promise<void> {
  const forMs = Math.max(1, Math.min(waitMs, Math.floor(deadlineAt - performance.now())))
  const slot = connection.client.isCluster ? new Command('get', [key]).getSlot() : undefined
  const copies = await connection.send({ name: 'wait', args: [min, forMs], deadlineAt, slot })
  if (Number(copies) >= min) return
  throw new RedisFault('unreplicated', `${Number(copies)} replicas have the write after ${forMs} ms, and ${min} are asked for`)
}

/** Redis 6 says where in the script it was. */
export function refused(message: unknown): Error {
  return new ReplyError(
    String(message)
      .replace(/^@user_script: ?\d+: ?/, '')
      .replace(/^-/, ''),
  )
}
