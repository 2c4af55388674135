import { describe, expect, it } from 'vitest'
import { turns } from '../src/turns.ts'
import { failure } from './store.ts'

const patiently = (others: Promise<unknown>) => others.then(() => {})

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), opened }
}

describe('turns', () => {
  it('run the steps of one id one after the other, in order', async () => {
    const { inTurn } = turns()
    const log: string[] = []
    const gates = [gate(), gate(), gate()]
    const steps = gates.map(({ opened }, index) =>
      inTurn('a', patiently, async () => {
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
    const { inTurn } = turns()
    const { open, opened } = gate()
    const first = inTurn('a', patiently, () => opened)
    expect(await inTurn('b', patiently, async () => 'b')).toBe('b')
    open()
    await first
  })

  it('start the first step at once', () => {
    const { inTurn } = turns()
    let started = false
    void inTurn('a', patiently, async () => {
      started = true
    })
    expect(started).toBe(true)
  })

  it('go on after a step that failed', async () => {
    const { inTurn } = turns()
    const failed = inTurn('a', patiently, async () => {
      throw new Error('first')
    })
    const next = inTurn('a', patiently, async () => 'next')
    expect(await failure(failed)).toMatchObject({ message: 'first' })
    expect(await next).toBe('next')
  })

  it('never run the step of one who gave up, and keep the others in order', async () => {
    const { inTurn } = turns()
    const { open, opened } = gate()
    const log: string[] = []
    const first = inTurn('a', patiently, async () => {
      await opened
      log.push('first')
    })
    const impatient = inTurn(
      'a',
      () => Promise.reject(new Error('too late')),
      async () => void log.push('never'),
    )
    const last = inTurn('a', patiently, async () => void log.push('last'))
    expect(await failure(impatient)).toMatchObject({ message: 'too late' })
    expect(log).toEqual([])
    open()
    await Promise.all([first, last])
    expect(log).toEqual(['first', 'last'])
  })
})
