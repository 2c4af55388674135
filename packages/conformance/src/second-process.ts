import { writeSync } from 'node:fs'
import type { SessionBackend } from '@mcp-session/core/backend'
import type { Harness } from './harness.ts'
import { ACKS_FD, type Answer, plainError, type Request, remoteCall, type Step, type TimedOutcome } from './second-process-protocol.ts'

// The program of a second process: `node second-process.ts <module of the harness> <place>`, driven over IPC.

const [, , moduleUrl = '', place = ''] = process.argv
const { harness } = (await import(moduleUrl)) as { harness?: Harness }
if (harness?.reopen === undefined) throw new TypeError(`${moduleUrl} must export a harness with reopen, as \`harness\``)
const backend = await harness.reopen(place)
const subscriptions = new Map<number, () => Promise<void>>()
await backend.open()

process.on('message', (request: Request) => {
  answerTo(request).then(
    (value) => send({ n: request.n, value }),
    (error: unknown) => send({ n: request.n, error: plainError(error) }),
  )
})
process.on('disconnect', () => {
  // The parent is gone: nothing is left to do here.
  if (!closed) process.exit(0)
})
let closed = false
send({ ready: true })

function send(answer: Answer): void {
  if (process.connected) process.send?.(answer)
  // Without the channel nothing keeps a process alive whose backend has let go of everything.
  if ('n' in answer && closed) process.disconnect()
}

async function answerTo(request: Request): Promise<unknown> {
  switch (request.do) {
    case 'call':
      return carryOut(backend, request.step, request.now)
    case 'steps':
      return inLanes(request.steps, request.lanes, request.now)
    case 'increment':
      return increment(request.id, request.times, request.now)
    case 'subscribe':
      return subscribe(request.n, request.channel)
    case 'unsubscribe':
      return subscriptions.get(request.subscription)?.()
    case 'close':
      await backend.close()
      closed = true
      return undefined
  }
}

function carryOut(target: SessionBackend, { method, args }: Step, now: number): Promise<unknown> {
  const [facet, name] = method.includes('.') ? method.split('.') : [undefined, method]
  const holder: unknown = facet === 'events' ? target.events : facet === 'signals' ? target.signals : target
  const run: unknown = typeof holder === 'object' && holder !== null && name !== undefined ? Reflect.get(holder, name) : undefined
  if (typeof run !== 'function') throw new TypeError(`the backend has no ${method}`)
  return Reflect.apply(run, holder, [...args, remoteCall(now)])
}

/** Step i runs in lane i mod `lanes`; each lane runs its steps one after the other. */
async function inLanes(steps: readonly Step[], lanes: number, now: number): Promise<TimedOutcome[]> {
  const outcomes: TimedOutcome[] = []
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let index = lane; index < steps.length; index += lanes) {
        const step = steps[index]
        if (step !== undefined) outcomes[index] = await timed(step, now, index)
      }
    }),
  )
  return outcomes
}

async function timed(step: Step, now: number, index: number): Promise<TimedOutcome> {
  const start = process.hrtime.bigint()
  try {
    const value = await carryOut(backend, step, now)
    const end = process.hrtime.bigint()
    writeSync(ACKS_FD, `${index}\n`)
    return { start, end, outcome: { value } }
  } catch (error) {
    return { start, end: process.hrtime.bigint(), outcome: { error: plainError(error) } }
  }
}

/** Adds 1 to the number that the record's data is, `times` times, by compare-and-set. How many races were lost. */
async function increment(id: string, times: number, now: number): Promise<number> {
  let lost = 0
  let current = await backend.get(id, remoteCall(now))
  for (let done = 0; done < times; ) {
    if (current === undefined) throw new Error('the record to count in is gone')
    const data = String(Number(current.data) + 1)
    const next = { ...current, rev: `${process.pid}.${done}.${lost}`, prevRev: current.rev, data }
    const result = await backend.replace(next, current.rev, remoteCall(now))
    if (result.replaced) {
      done += 1
      current = next
    } else {
      lost += 1
      current = result.current
    }
  }
  return lost
}

async function subscribe(subscription: number, channel: string): Promise<number> {
  if (backend.signals === undefined) throw new TypeError('the backend has no signals')
  const stop = await backend.signals.subscribe(channel, (message) => send({ signal: subscription, message }))
  subscriptions.set(subscription, stop)
  return subscription
}
