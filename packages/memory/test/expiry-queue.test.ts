import { describe, expect, it } from 'vitest'
import { type Entry, entryOf } from '../src/entry.ts'
import { type ExpiryQueue, expiryQueue } from '../src/expiry-queue.ts'
import { at, dice, opened, record } from './records-for-tests.ts'

const hour = 3_600_000

function entry(id: string, expiresAt: number): Entry {
  return entryOf(record(id, { expiresAt }))
}

/** Makes an entry report each look at its deadline. */
function watched(target: Entry, seen: Set<Entry>): Entry {
  let expiresAt = target.expiresAt
  return Object.defineProperty(target, 'expiresAt', {
    get: () => {
      seen.add(target)
      return expiresAt
    },
    set: (value: number) => {
      expiresAt = value
    },
  })
}

function drain(queue: ExpiryQueue, now: number): string[] {
  return queue.take(now, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).due.map((due) => due.id)
}

describe('expiryQueue', () => {
  it('finds an entry at its deadline and not a millisecond earlier, however far off it was filed', () => {
    for (const ttlMs of [1, 511, 512, 1_000, hour, 720 * hour, 2 ** 45]) {
      const queue = expiryQueue()
      queue.file(entry('s_1', 1_000 + ttlMs), 1_000)
      expect(drain(queue, 1_000 + ttlMs - 1)).toEqual([])
      expect(drain(queue, 1_000 + ttlMs)).toEqual(['s_1'])
      expect(drain(queue, 1_000 + ttlMs)).toEqual([])
    }
  })

  it('looks at no entry at all when nothing is near its deadline', () => {
    const queue = expiryQueue()
    const seen = new Set<Entry>()
    for (let index = 0; index < 10_000; index += 1) queue.file(watched(entry(`s_${index}`, hour + index), seen), 0)
    seen.clear()
    expect(queue.take(hour / 2, 500, Number.POSITIVE_INFINITY)).toEqual({ due: [], more: false })
    expect(seen.size).toBe(0)
  })

  it('looks at the expired entries, and at hardly any other', () => {
    const queue = expiryQueue()
    const seen = new Set<Entry>()
    for (let index = 0; index < 100_000; index += 1) queue.file(watched(entry(`s_${index}`, hour + index * 100), seen), 0)
    seen.clear()
    expect(drain(queue, hour + 100_000)).toHaveLength(1_001)
    expect(seen.size).toBeLessThan(1_001 + 1_000)
  })

  it('notices a later deadline when the old one comes, once', () => {
    const queue = expiryQueue()
    const seen = new Set<Entry>()
    const touched = watched(entry('s_1', hour), seen)
    queue.file(touched, 0)
    touched.expiresAt = 2 * hour
    seen.clear()
    expect(drain(queue, hour)).toEqual([])
    expect(seen.size).toBe(1)
    seen.clear()
    expect(drain(queue, hour + 1_000)).toEqual([])
    expect(seen.size).toBe(0)
    expect(drain(queue, 2 * hour)).toEqual(['s_1'])
  })

  it('stops after so many visits and says that there may be more', () => {
    const queue = expiryQueue()
    for (let index = 0; index < 10; index += 1) {
      const touched = entry(`s_${index}`, 100)
      queue.file(touched, 0)
      touched.expiresAt = index === 9 ? 100 : 1_000
    }
    const found: string[] = []
    let slices = 0
    for (let more = true; more; slices += 1) {
      const taken = queue.take(100, 5, 4)
      more = taken.more
      found.push(...taken.due.map((due) => due.id))
    }
    expect(found).toEqual(['s_9'])
    expect(slices).toBe(3)
  })

  it('gives what a scan of all entries would, through filings, nearer and later deadlines, removals and clock jumps', () => {
    const roll = dice(11)
    const queue = expiryQueue()
    const all = new Set<Entry>()
    let now = 1_700_000_000_000
    for (let step = 0; step < 20_000; step += 1) {
      const chosen = [...all][roll(Math.max(1, all.size))]
      const ttlMs = roll(2) === 0 ? roll(600) : roll(100_000_000)
      const action = roll(10)
      if (action < 4 || chosen === undefined) {
        const added = entry(`s_${step}`, roll(20) === 0 ? Number.POSITIVE_INFINITY : now + ttlMs)
        all.add(added)
        queue.file(added, now)
      } else if (action < 6) {
        chosen.expiresAt = Math.max(chosen.expiresAt, now + ttlMs)
      } else if (action < 7) {
        chosen.expiresAt = now + ttlMs
        queue.file(chosen, now)
      } else if (action < 8) {
        all.delete(chosen)
        queue.remove(chosen)
      } else {
        now += roll(100) === 0 ? -roll(1_000_000) : roll(2) === 0 ? roll(100) : roll(1_000_000)
        const limit = 1 + roll(5)
        const expired = [...all].filter((one) => one.expiresAt <= now)
        const { due } = queue.take(now, limit, Number.POSITIVE_INFINITY)
        expect(due).toHaveLength(Math.min(limit, expired.length))
        expect(due.every((one) => expired.includes(one) && one.bucket === undefined)).toBe(true)
        for (const one of due) all.delete(one)
      }
    }
    expect(drain(queue, Number.MAX_SAFE_INTEGER)).toHaveLength([...all].filter((one) => one.expiresAt !== Number.POSITIVE_INFINITY).length)
  })
})

describe('deleteExpired', () => {
  it('cleans 100,000 sessions, half of them expired, to exactly the other half in slices of 500', async () => {
    const backend = await opened()
    for (let index = 0; index < 100_000; index += 1) {
      await backend.create(record(`s_${index}`, { lastAccessedAt: index % 2 === 0 ? 0 : hour, ttlMs: hour + (index % 1_000) }), at(0))
    }
    const now = hour + 1_000
    const slices: number[] = []
    for (let deleted = -1; deleted !== 0; ) {
      deleted = await backend.deleteExpired(500, at(now))
      slices.push(deleted)
    }
    expect(slices).toEqual([...Array(100).fill(500), 0])
    expect(await backend.get('s_0', at(0))).toBeUndefined()
    let left = 0
    let cursor: string | undefined
    do {
      const page = await backend.list({ limit: 10_000, data: false, ...(cursor === undefined ? {} : { cursor }) }, at(0))
      left += page.records.filter((one) => one.expiresAt > now).length
      expect(page.records.every((one) => one.expiresAt > now)).toBe(true)
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(left).toBe(50_000)
  })

  it('lets the event loop turn while it looks at sessions that were touched meanwhile', async () => {
    const backend = await opened()
    for (let index = 0; index < 20_000; index += 1) {
      await backend.create(record(`s_${index}`, { ttlMs: 100 }), at(0))
      if (index > 0) await backend.touch({ id: `s_${index}`, rev: `rev-of-s_${index}`, lastAccessedAt: 50, expiresAt: hour }, at(50))
    }
    let turns = 0
    let done = false
    const count = () => {
      turns += 1
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    expect(await backend.deleteExpired(500, at(100))).toBe(1)
    done = true
    expect(turns).toBeGreaterThanOrEqual(4)
  })

  it('finds a session whose deadline a replace brought nearer', async () => {
    const backend = await opened()
    await backend.create(record('s_1', { ttlMs: hour }), at(0))
    await backend.create(record('s_2'), at(0))
    await backend.replace(record('s_1', { rev: 'next', ttlMs: 10 }), 'rev-of-s_1', at(0))
    await backend.replace(record('s_2', { rev: 'next', ttlMs: 10 }), 'rev-of-s_2', at(0))
    expect(await backend.deleteExpired(10, at(9))).toBe(0)
    expect(await backend.deleteExpired(10, at(10))).toBe(2)
  })

  it('leaves a session alone that a replace gave no end, and one that was created again', async () => {
    const backend = await opened()
    await backend.create(record('s_1', { ttlMs: 10 }), at(0))
    await backend.replace(record('s_1', { rev: 'next' }), 'rev-of-s_1', at(0))
    await backend.create(record('s_2', { ttlMs: 10 }), at(0))
    await backend.create(record('s_2', { rev: 'again' }), at(20))
    expect(await backend.deleteExpired(10, at(hour))).toBe(0)
    expect(await backend.get('s_1', at(hour))).toBeDefined()
    expect(await backend.get('s_2', at(hour))).toMatchObject({ rev: 'again' })
  })
})
