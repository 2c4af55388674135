import { expect, test } from 'vitest'
import { closedLoop } from '../src/sessions/closed-loop.ts'
import { openLoop } from '../src/sessions/open-loop.ts'
import { populate } from '../src/sessions/population.ts'
import { seeded } from '../src/sessions/random.ts'
import { stepOf } from '../src/sessions/steps.ts'
import { countedStore } from './counted-store.ts'

const short = { seconds: 0.02, macrotask: false, timeOneIn: 1 }

test.each([1, 16, 256])('a closed loop with %i in flight counts every call that it made, and each has been awaited', async (inFlight) => {
  const { store, asked, answered } = countedStore()
  const population = await populate(store, 10)
  const measured = await closedLoop(stepOf('retrieve', store, population, seeded(1)), { ...short, inFlight })
  expect(measured?.calls).toBe(asked.get('retrieve'))
  expect(answered.get('retrieve')).toBe(asked.get('retrieve'))
  expect(measured?.missed).toBe(0)
  expect(measured?.opsPerSecond).toBeCloseTo((measured?.calls ?? 0) / (measured?.seconds ?? 1), 6)
})

test('a loop never has more calls in flight than it says', async () => {
  let running = 0
  let most = 0
  await closedLoop(
    async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return true
    },
    { ...short, inFlight: 7 },
  )
  expect(most).toBe(7)
})

test('a call is counted whether it is timed or not', async () => {
  let made = 0
  const measured = await closedLoop(
    async () => {
      made += 1
      return true
    },
    { ...short, inFlight: 1, timeOneIn: 50 },
  )
  expect(measured?.calls).toBe(made)
})

test('calls that find nothing are counted as missed', async () => {
  const { store } = countedStore()
  const measured = await closedLoop(() => store.retrieve('nobody'), { ...short, inFlight: 4 })
  expect(measured?.missed).toBe(measured?.calls)
})

test('a loop ends when nothing is left to ask for', async () => {
  const { store, answered } = countedStore()
  const population = await populate(store, 3)
  for (let n = 0; n < 40; n += 1) await population.add()
  const measured = await closedLoop(stepOf('delete', store, population, seeded(1)), { ...short, seconds: 60, inFlight: 16 })
  expect(measured?.calls).toBe(40)
  expect(answered.get('delete')).toBe(40)
  expect(await store.count()).toBe(3)
})

test('a failing call ends either loop with its error', async () => {
  const failing = () => Promise.reject(new Error('the engine is gone'))
  await expect(closedLoop(failing, { ...short, inFlight: 2 })).rejects.toThrow('the engine is gone')
  await expect(openLoop(failing, { perSecond: 100, seconds: 60 })).rejects.toThrow('the engine is gone')
})

test('an open loop begins as many calls as rate and time say, and awaits them all', async () => {
  const { store, asked, answered } = countedStore()
  const population = await populate(store, 10)
  const measured = await openLoop(stepOf('retrieve', store, population, seeded(1)), { perSecond: 2_000, seconds: 0.1 })
  expect(measured.calls).toBe(200)
  expect(asked.get('retrieve')).toBe(200)
  expect(answered.get('retrieve')).toBe(200)
})

test('an open loop ends with the last answer, however many turns that takes', async () => {
  let answered = 0
  const slow = async () => {
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    answered += 1
    return true
  }
  const { calls } = await openLoop(slow, { perSecond: 2_000, seconds: 0.02 })
  expect({ calls, answered }).toEqual({ calls: 40, answered: 40 })
})

test('the mixture is 80 of retrieve, 10 of touch and 10 of update in 100', async () => {
  const { store, asked } = countedStore()
  const population = await populate(store, 10)
  const step = stepOf('mixed', store, population, seeded(7))
  for (let n = 0; n < 10_000; n += 1) void step()
  for (const [op, share] of [
    ['retrieve', 0.8],
    ['touch', 0.1],
    ['update', 0.1],
  ] as const) {
    expect((asked.get(op) ?? 0) / 10_000).toBeCloseTo(share, 1)
  }
})
