import { describe, expect, it } from 'vitest'
import { lifecycle } from '../src/backend.ts'
import { failure } from './store.ts'

function recorded(reactions: { open?: () => Promise<void>; close?: () => Promise<void> } = {}) {
  const steps: string[] = []
  const life = lifecycle({
    open: async () => {
      steps.push('opening')
      await reactions.open?.()
      steps.push('open')
    },
    close: async () => {
      steps.push('closing')
      await reactions.close?.()
      steps.push('closed')
    },
  })
  return { life, steps }
}

describe('a counted lifecycle', () => {
  it('opens for the first and closes for the last', async () => {
    const { life, steps } = recorded()
    await Promise.all([life.open(), life.open(), life.open()])
    await life.close()
    await life.close()
    expect([steps, life.isOpen()]).toEqual([['opening', 'open'], true])
    await life.close()
    expect([steps, life.isOpen()]).toEqual([['opening', 'open', 'closing', 'closed'], false])
  })

  it('does nothing on further closes, and none of them eats a later open', async () => {
    const { life, steps } = recorded()
    await life.close()
    await life.open()
    await life.close()
    await life.close()
    await life.close()
    await life.open()
    expect(life.isOpen()).toBe(true)
    expect(steps).toEqual(['opening', 'open', 'closing', 'closed', 'opening', 'open'])
  })

  it('never opens while it still closes', async () => {
    let finish = () => {}
    const closing = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { life, steps } = recorded({ close: () => closing })
    await life.open()
    const closed = life.close()
    const opened = life.open()
    finish()
    await Promise.all([closed, opened])
    expect(steps).toEqual(['opening', 'open', 'closing', 'closed', 'opening', 'open'])
  })

  it('is not open while it closes', async () => {
    const seen: boolean[] = []
    const { life } = recorded({ close: async () => void seen.push(life.isOpen()) })
    await life.open()
    await life.close()
    expect(seen).toEqual([false])
  })

  it('stays closed when opening fails, and may be tried again', async () => {
    let failing = true
    const { life } = recorded({
      open: async () => {
        if (failing) throw new Error('locked')
      },
    })
    expect(await failure(life.open())).toMatchObject({ message: 'locked' })
    expect(life.isOpen()).toBe(false)
    failing = false
    await life.open()
    expect(life.isOpen()).toBe(true)
    await life.close()
    expect(life.isOpen()).toBe(false)
  })

  it('is closed when closing fails, tells who closed, and opens again', async () => {
    const { life } = recorded({
      close: async () => {
        throw new Error('stuck')
      },
    })
    await life.open()
    expect(await failure(life.close())).toMatchObject({ message: 'stuck' })
    expect(life.isOpen()).toBe(false)
    await life.open()
    expect(life.isOpen()).toBe(true)
  })
})
