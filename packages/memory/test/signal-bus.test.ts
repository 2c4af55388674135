import type { SignalBus } from '@mcp-session/core/backend'
import { assert, describe, expect, it } from 'vitest'
import { memoryBackend } from '../src/index.ts'
import { at } from './records-for-tests.ts'

async function bus(): Promise<SignalBus> {
  const backend = memoryBackend()
  await backend.open()
  assert(backend.signals)
  return backend.signals
}

/** Resolves once everything published before it has been delivered: signals keep their order. */
async function delivered(signals: SignalBus): Promise<void> {
  let stop = async () => {}
  await new Promise<void>((resolve, reject) => {
    signals
      .subscribe('the last one', () => resolve())
      .then((unsubscribe) => {
        stop = unsubscribe
        return signals.publish('the last one', '', at(0))
      })
      .catch(reject)
  })
  await stop()
}

describe('signals', () => {
  it('reach each listener of their channel once, in order, after publish has resolved', async () => {
    const signals = await bus()
    const heard: string[] = []
    await signals.subscribe('c', (message) => heard.push(`first ${message}`))
    await signals.subscribe('c', (message) => heard.push(`second ${message}`))
    await signals.subscribe('d', (message) => heard.push(`other ${message}`))
    await signals.publish('c', '1', at(0))
    expect(heard).toEqual([])
    await signals.publish('c', '2', at(0))
    await delivered(signals)
    expect(heard).toEqual(['first 1', 'second 1', 'first 2', 'second 2'])
  })

  it('are not heard after unsubscribing, not even those on their way', async () => {
    const signals = await bus()
    const heard: (string | undefined)[] = []
    const stop = await signals.subscribe('c', (message) => heard.push(message))
    await signals.publish('c', '1', at(0))
    await stop()
    await stop()
    await delivered(signals)
    expect(heard).toEqual([])
  })

  it('keep two subscriptions of one listener apart', async () => {
    const signals = await bus()
    let heard = 0
    const listener = () => {
      heard += 1
    }
    const stop = await signals.subscribe('c', listener)
    await signals.subscribe('c', listener)
    await signals.publish('c', '', at(0))
    await delivered(signals)
    await stop()
    await signals.publish('c', '', at(0))
    await delivered(signals)
    expect(heard).toBe(3)
  })

  it('survive listeners that throw, reject or publish', async () => {
    const signals = await bus()
    const heard: (string | undefined)[] = []
    await signals.subscribe('c', () => {
      throw new Error('a bad listener')
    })
    await signals.subscribe('c', async () => Promise.reject(new Error('a bad async listener')))
    await signals.subscribe('c', (message) => {
      if (message === '1') signals.publish('c', 'from within', at(0)).catch(() => {})
    })
    await signals.subscribe('c', (message) => heard.push(message))
    await signals.publish('c', '1', at(0))
    await delivered(signals)
    await delivered(signals)
    expect(heard).toEqual(['1', 'from within'])
  })

  it('end with the last close', async () => {
    const backend = memoryBackend()
    await backend.open()
    assert(backend.signals)
    const heard: (string | undefined)[] = []
    const stop = await backend.signals.subscribe('c', (message) => heard.push(message))
    await backend.signals.publish('c', '1', at(0))
    await backend.close()
    await backend.open()
    await backend.signals.publish('c', '2', at(0))
    await delivered(backend.signals)
    await stop()
    expect(heard).toEqual([])
  })
})
