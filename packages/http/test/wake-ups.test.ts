import { describe, expect, it } from 'vitest'
import { wakeUps } from '../src/wake-ups.ts'

const never = 1_000_000

describe('a watch', () => {
  it('is woken by news of its session only', async () => {
    const woken = wakeUps(never)
    const mine = woken.watch('mine')
    const other = woken.watch('other')
    const heard: string[] = []
    const waits = [mine.next().then((open) => heard.push(`mine ${open}`)), other.next().then((open) => heard.push(`other ${open}`))]
    woken.wake('mine')
    await waits[0]
    expect(heard).toEqual(['mine true'])
    other.close()
    await waits[1]
    expect(heard).toEqual(['mine true', 'other false'])
    mine.close()
  })

  it('does not miss news that come while nobody waits', async () => {
    const woken = wakeUps(never)
    const watch = woken.watch('s')
    woken.wake('s')
    woken.wake('s')
    expect(await watch.next()).toBe(true)
    const waiting = watch.next()
    woken.wake(undefined)
    expect(await waiting).toBe(true)
    watch.close()
    expect(await watch.next()).toBe(false)
  })

  it('is woken by the clock when nothing else wakes it', async () => {
    const watches = Array.from({ length: 9 }, (_, index) => index)
    const woken = wakeUps(8)
    const open = watches.map((index) => woken.watch(`s${index}`))
    expect(await Promise.all(open.map((watch) => watch.next()))).toEqual(watches.map(() => true))
    for (const watch of open) watch.close()
  })

  it('may be closed twice, and leaves no timer', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const woken = wakeUps(never)
    const watch = woken.watch('s')
    watch.close()
    watch.close()
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(before)
  })
})
