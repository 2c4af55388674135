import { describe, expect, it } from 'vitest'
import { type BatcherOptions, type BatchOutcome, batcher, type Call, SessionError } from '../src/backend.ts'
import { failure, sessionFailure, startAt, thrown } from './store.ts'

interface Flushing {
  readonly inputs: readonly string[]
  readonly calls: readonly Call[]
  finish(outcomes?: readonly BatchOutcome<string>[]): void
  fail(error: unknown): void
}

class DataError extends Error {}

function inTime(changes: Partial<Call> = {}): Call {
  return { now: startAt, deadlineAt: performance.now() + 60_000, ...changes }
}

/** A batcher whose flushes are settled by the test; `upper` is what each input becomes. */
function held(options: Partial<BatcherOptions<string, string>> = {}) {
  const flushes: Flushing[] = []
  const arrivals: ((flushing: Flushing) => void)[] = []
  const made = batcher<string, string>({
    name: 'scripted',
    isDataError: (error) => error instanceof DataError,
    flush: (inputs, calls) =>
      new Promise((resolve, reject) => {
        const flushing: Flushing = { inputs, calls, finish: (outcomes) => resolve(outcomes ?? inputs.map(upper)), fail: reject }
        flushes.push(flushing)
        arrivals.shift()?.(flushing)
      }),
    ...options,
  })
  const arrival = () => new Promise<Flushing>((resolve) => void arrivals.push(resolve))
  return { ...made, flushes, arrival }
}

/** A batcher that flushes at once and remembers what travelled together. */
function eager(options: Partial<BatcherOptions<string, string>> = {}) {
  const flushed: (readonly string[])[] = []
  const made = batcher<string, string>({
    name: 'scripted',
    isDataError: (error) => error instanceof DataError,
    flush: async (inputs) => {
      flushed.push(inputs)
      return inputs.map(upper)
    },
    ...options,
  })
  return { ...made, flushed }
}

function upper(input: string): BatchOutcome<string> {
  return { value: input.toUpperCase() }
}

describe('grouping', () => {
  it('flushes at the next tick, with all that was called until then', async () => {
    const { run, flushes } = held()
    const results = [run('a', 'a', inTime()), run('b', 'b', inTime())]
    expect(flushes).toHaveLength(0)
    await new Promise<void>((resolve) => process.nextTick(resolve))
    expect(flushes.map((flushing) => flushing.inputs)).toEqual([['a', 'b']])
    flushes[0]?.finish()
    expect(await Promise.all(results)).toEqual(['A', 'B'])
  })

  it('sends what came during a flush when it returns', async () => {
    const { run, arrival } = held()
    const first = arrival()
    const results = [run('a', 'a', inTime())]
    const flushing = await first
    results.push(run('b', 'b', inTime()), run('c', 'c', inTime()))
    const second = arrival()
    flushing.finish()
    const next = await second
    expect(next.inputs).toEqual(['b', 'c'])
    next.finish()
    expect(await Promise.all(results)).toEqual(['A', 'B', 'C'])
  })

  it('has one flush in flight at most', async () => {
    let running = 0
    let most = 0
    const { run } = eager({
      flush: async (inputs) => {
        running += 1
        most = Math.max(most, running)
        await new Promise<void>((resolve) => setImmediate(resolve))
        running -= 1
        return inputs.map(upper)
      },
    })
    await Promise.all(Array.from({ length: 40 }, (_, index) => run(`k${index % 7}`, `v${index}`, inTime())))
    expect(most).toBe(1)
  })

  it('waits for no tick between flushes: none comes while others go on in microtasks', async () => {
    const { run, arrival, flushes } = held()
    const arrived = arrival()
    const first = run('a', 'a', inTime())
    const flushing = await arrived
    const second = run('b', 'b', inTime())
    let ticked = false
    process.nextTick(() => {
      ticked = true
    })
    flushing.finish()
    for (let turns = 0; turns < 100 && flushes.length < 2; turns += 1) await undefined
    expect([flushes.length, ticked]).toEqual([2, false])
    flushes[1]?.finish()
    expect(await Promise.all([first, second])).toEqual(['A', 'B'])
  })

  it('has as many flushes in flight as it may, each of other keys', async () => {
    const { run, arrival, flushes } = held({ maxCalls: 2, maxFlushes: 2 })
    const arrivals = [arrival(), arrival(), arrival()]
    const calls = ['a', 'b', 'c', 'a', 'd', 'e'].map((key, n) => run(key, `${key}${n}`, inTime()))
    const [first, second] = await Promise.all(arrivals.slice(0, 2))
    expect(flushes.map(({ inputs }) => inputs)).toEqual([
      ['a0', 'b1'],
      ['c2', 'd4'],
    ])
    second?.finish()
    expect((await arrivals[2])?.inputs).toEqual(['e5'])
    expect(await Promise.all([calls[2], calls[4]])).toEqual(['C2', 'D4'])
    const next = arrival()
    first?.finish()
    expect((await next).inputs).toEqual(['a3'])
    for (const { finish } of flushes) finish()
    expect(await Promise.all(calls)).toEqual(['A0', 'B1', 'C2', 'A3', 'D4', 'E5'])
  })

  it('never puts two inputs of a key into one flush, and keeps their order', async () => {
    const { run, flushed } = eager()
    await Promise.all(['a1', 'a2', 'b1', 'a3', 'b2', 'c1'].map((input) => run(input.slice(0, 1), input, inTime())))
    expect(flushed).toEqual([['a1', 'b1', 'c1'], ['a2', 'b2'], ['a3']])
  })

  it('keeps the order of a key when its first input did not fit any more', async () => {
    const { run, flushed } = eager({ maxCalls: 1 })
    await Promise.all(['a1', 'b1', 'a2', 'b2'].map((input) => run(input.slice(0, 1), input, inTime())))
    expect(flushed).toEqual([['a1'], ['b1'], ['a2'], ['b2']])
  })

  it('lets at most maxCalls travel together', async () => {
    const { run, flushed } = eager({ maxCalls: 3 })
    await Promise.all(Array.from({ length: 7 }, (_, index) => run(`k${index}`, `v${index}`, inTime())))
    expect(flushed.map((inputs) => inputs.length)).toEqual([3, 3, 1])
  })

  it('lets at most maxBytes travel together, and a larger input alone', async () => {
    const { run, flushed } = eager({ maxBytes: 4, bytesOf: (input) => input.length })
    await Promise.all(['aa', 'bb', 'c', 'dddddd', 'e'].map((input) => run(input, input, inTime())))
    expect(flushed).toEqual([['aa', 'bb'], ['c'], ['dddddd'], ['e']])
  })

  it('hands each call over beside its input', async () => {
    const { run, arrival } = held()
    const call = inTime()
    const arrived = arrival()
    const result = run('a', 'a', call)
    const flushing = await arrived
    expect(flushing.calls).toEqual([call])
    flushing.finish()
    await result
  })
})

describe('bounds', () => {
  it('refuses what exceeds the queue, retryable and with nothing written', async () => {
    const { run, arrival } = held({ maxQueued: 2 })
    const arrived = arrival()
    const first = run('a', 'a', inTime())
    const flushing = await arrived
    const queued = [run('b', 'b', inTime()), run('c', 'c', inTime())]
    const error = await sessionFailure(run('d', 'd', inTime()))
    expect(error).toMatchObject({ code: 'MCP_SESSION_OVERLOADED', retryable: true, outcome: 'none' })
    const second = arrival()
    flushing.finish()
    ;(await second).finish()
    expect(await Promise.all([first, ...queued])).toEqual(['A', 'B', 'C'])
  })

  it('never sends a call whose deadline has passed', async () => {
    const { run, flushed } = eager()
    const late = run('a', 'late', inTime({ deadlineAt: performance.now() }))
    const good = run('b', 'good', inTime())
    expect(await sessionFailure(late)).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', retryable: true, outcome: 'none' })
    expect(await good).toBe('GOOD')
    expect(flushed).toEqual([['good']])
  })

  it('never sends an aborted call, and rejects it with the reason', async () => {
    const { run, arrival, flushes } = held()
    const controller = new AbortController()
    const arrived = arrival()
    const first = run('a', 'a1', inTime())
    const flushing = await arrived
    const aborted = run('a', 'a2', inTime({ signal: controller.signal }))
    const last = run('a', 'a3', inTime())
    const reason = new Error('enough')
    controller.abort(reason)
    const next = arrival()
    flushing.finish()
    expect(await failure(aborted)).toBe(reason)
    ;(await next).finish()
    expect(await Promise.all([first, last])).toEqual(['A1', 'A3'])
    expect(flushes.map(({ inputs }) => inputs)).toEqual([['a1'], ['a3']])
  })
})

describe('failures', () => {
  it('gives each input its own outcome', async () => {
    const bad = new Error('b is bad')
    const { run } = eager({ flush: async (inputs) => inputs.map((input) => (input === 'b' ? { error: bad } : upper(input))) })
    const [a, b, c] = await Promise.allSettled(['a', 'b', 'c'].map((input) => run(input, input, inTime())))
    expect([a, c]).toEqual([
      { status: 'fulfilled', value: 'A' },
      { status: 'fulfilled', value: 'C' },
    ])
    expect(b).toEqual({ status: 'rejected', reason: bad })
  })

  it('runs the inputs one by one when one of them spoils the flush', async () => {
    const flushed: (readonly string[])[] = []
    const { run } = eager({
      flush: async (inputs) => {
        flushed.push(inputs)
        if (inputs.includes('bad')) throw new DataError('bad input')
        return inputs.map(upper)
      },
    })
    const outcomes = await Promise.allSettled(['a', 'bad', 'c'].map((input) => run(input, input, inTime())))
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
      'A',
      'Error: bad input',
      'C',
    ])
    expect(flushed).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']])
  })

  it('does not run a lone bad input twice', async () => {
    let flushes = 0
    const error = new DataError('bad input')
    const { run } = eager({
      flush: async () => {
        flushes += 1
        throw error
      },
    })
    expect(await failure(run('a', 'a', inTime()))).toBe(error)
    expect(flushes).toBe(1)
  })

  it('runs nothing again that is late or aborted by then', async () => {
    const flushed: (readonly string[])[] = []
    const controller = new AbortController()
    const reason = new Error('enough')
    const late = inTime({ deadlineAt: performance.now() + 30 })
    const { run } = eager({
      flush: async (inputs) => {
        flushed.push(inputs)
        if (inputs.length > 1) {
          controller.abort(reason)
          while (performance.now() < late.deadlineAt) await new Promise<void>((resolve) => setImmediate(resolve))
          throw new DataError('bad input')
        }
        return inputs.map(upper)
      },
    })
    const outcomes = [run('a', 'a', late), run('b', 'b', inTime({ signal: controller.signal })), run('c', 'c', inTime())]
    expect(await sessionFailure(outcomes[0] ?? Promise.resolve())).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'none' })
    expect(await failure(outcomes[1] ?? Promise.resolve())).toBe(reason)
    expect(await outcomes[2]).toBe('C')
    expect(flushed).toEqual([['a', 'b', 'c'], ['c']])
  })

  it('fails the whole flush when the engine fails, and goes on with the next', async () => {
    const broken = new Error('disk full')
    const { run, arrival } = held()
    const arrived = arrival()
    const failing = [run('a', 'a', inTime()), run('b', 'b', inTime())]
    const flushing = await arrived
    const later = run('c', 'c', inTime())
    const next = arrival()
    flushing.fail(broken)
    expect(await Promise.all(failing.map(failure))).toEqual([broken, broken])
    ;(await next).finish()
    expect(await later).toBe('C')
  })

  it('fails the whole flush when it throws at once', async () => {
    const broken = new Error('broken')
    const { run } = eager({ flush: () => thrownNow(broken) })
    expect(await failure(run('a', 'a', inTime()))).toBe(broken)
    expect(await failure(run('a', 'a', inTime()))).toBe(broken)
  })

  it('names a flush that breaks the contract, as of unknown outcome', async () => {
    const { run } = eager({ flush: async () => [] })
    const error = await failure(run('a', 'a', inTime()))
    expect(SessionError.is(error, 'MCP_SESSION_CONTRACT')).toBe(true)
    expect(error).toMatchObject({ outcome: 'unknown' })
  })
})

function thrownNow(error: Error): never {
  throw thrown(() => {
    throw error
  })
}

describe('drain', () => {
  it('resolves at once when nothing is pending', async () => {
    await eager().drain()
  })

  it('resolves when the queue has emptied, that which came meanwhile included', async () => {
    const { run, drain, arrival } = held()
    const log: string[] = []
    const arrived = arrival()
    void run('a', 'a1', inTime()).then(() => log.push('a1'))
    void run('a', 'a2', inTime()).then(() => log.push('a2'))
    const drained = drain().then(() => log.push('drained'))
    const second = arrival()
    ;(await arrived).finish()
    ;(await second).finish()
    await drained
    expect(log).toEqual(['a1', 'a2', 'drained'])
  })

  it('resolves also when all pending calls were late', async () => {
    const { run, drain } = eager()
    const late = failure(run('a', 'a', inTime({ deadlineAt: 0 })))
    await drain()
    await late
  })
})
