import { describe, expect, it } from 'vitest'
import { turns } from '../src/turns.ts'
import { failure } from './store.ts'

const call = { now: 0, deadlineAt: Number.POSITIVE_INFINITY }
const impatient = { now: 0, deadlineAt: 0 }

/** Of calls that wait as long as it takes, but for the impatient one. */
function patiently() {
  return turns({
    overload: () => undefined,
    wait: (waiting, others) => (waiting === impatient ? Promise.reject(new Error('too late')) : others.then(() => {})),
  })
}

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), opened }
}

describe('turns', () => {
  it('run the steps of one id one after the other, in order', async () => {
    const { inTurn } = patiently()
    const log: string[] = []
    const gates = [gate(), gate(), gate()]
    const steps = gates.map(({ opened }, index) =>
      inTurn('a', call, async () => {
        log.push(`begin ${index}`)
        await opened
        log.push(`end ${index}`)
        return index
      }),
    )
    for (const { open } of gates.toReversed()) open()
    expect(await Promise.all(steps)).toEqual([0, 1, 2])
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2'])
  })

  it('run the steps of different ids at the same time', async () => {
    const { inTurn } = patiently()
    const { open, opened } = gate()
    const first = inTurn('a', call, () => opened)
    expect(await inTurn('b', call, async () => 'b')).toBe('b')
    open()
    await first
  })

  it('start the first step at once', () => {
    const { inTurn } = patiently()
    let started = false
    void inTurn('a', call, async () => {
      started = true
    })
    expect(started).toBe(true)
  })

  it('go on after a step that failed', async () => {
    const { inTurn } = patiently()
    const failed = inTurn('a', call, async () => {
      throw new Error('first')
    })
    const next = inTurn('a', call, async () => 'next')
    expect(await failure(failed)).toMatchObject({ message: 'first' })
    expect(await next).toBe('next')
  })

  it('never run the step of one who gave up, and keep the others in order', async () => {
    const { inTurn } = patiently()
    const { open, opened } = gate()
    const log: string[] = []
    const first = inTurn('a', call, async () => {
      await opened
      log.push('first')
    })
    const late = inTurn('a', impatient, async () => void log.push('never'))
    const last = inTurn('a', call, async () => void log.push('last'))
    expect(await failure(late)).toMatchObject({ message: 'too late' })
    expect(log).toEqual([])
    open()
    await Promise.all([first, last])
    expect(log).toEqual(['first', 'last'])
  })
})
