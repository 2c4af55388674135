import { SessionError } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { at, dice, idsOf, opened, record } from './records-for-tests.ts'

describe('maxSessions', () => {
  it('refuses a session beyond it with LIMIT, which may be retried and wrote nothing', async () => {
    const backend = await opened({ maxSessions: 2 })
    await backend.create(record('s_1'), at(0))
    await backend.create(record('s_2'), at(0))
    const error = await backend.create(record('s_3'), at(0)).catch((reason: unknown) => reason)
    expect(SessionError.is(error)).toBe(true)
    expect(error).toMatchObject({ code: 'MCP_SESSION_LIMIT', retryable: true, outcome: 'none' })
    expect(await idsOf(backend, { limit: 10 })).toEqual(['s_1', 's_2'])
    expect(backend.evicted?.()).toBe(0)
  })

  it('has room again after a delete', async () => {
    const backend = await opened({ maxSessions: 1 })
    await backend.create(record('s_1'), at(0))
    await backend.delete('s_1', undefined, at(0))
    expect(await backend.create(record('s_2'), at(0))).toBe(true)
  })

  it('says no to an id that is taken, not LIMIT, and lets every other method go on', async () => {
    const backend = await opened({ maxSessions: 1 })
    await backend.create(record('s_1'), at(0))
    expect(await backend.create(record('s_1', { rev: 'other' }), at(0))).toBe(false)
    expect(await backend.replace(record('s_1', { rev: 'next' }), 'rev-of-s_1', at(0))).toEqual({ replaced: true })
  })

  it.each(['refuse', 'evict'] as const)('gives the place of an expired record away before anything else (%s)', async (whenFull) => {
    const backend = await opened({ maxSessions: 3, whenFull })
    await backend.create(record('s_1', { lastAccessedAt: 0 }), at(0))
    await backend.create(record('s_2', { lastAccessedAt: 5, ttlMs: 10 }), at(5))
    await backend.create(record('s_3', { lastAccessedAt: 6, ttlMs: 100 }), at(6))
    expect(await backend.create(record('s_4', { lastAccessedAt: 15 }), at(15))).toBe(true)
    expect(await idsOf(backend, { limit: 10 }, 15)).toEqual(['s_1', 's_3', 's_4'])
    expect(backend.evicted?.()).toBe(0)
  })

  it('puts a session in the place of its own expired id without asking for room', async () => {
    const backend = await opened({ maxSessions: 2, whenFull: 'evict' })
    await backend.create(record('s_1'), at(0))
    await backend.create(record('s_2', { ttlMs: 10 }), at(0))
    expect(await backend.create(record('s_2', { lastAccessedAt: 20 }), at(20))).toBe(true)
    expect(await idsOf(backend, { limit: 10 }, 20)).toEqual(['s_1', 's_2'])
  })

  it('evicts the longest idle session, by touches and replaces too, and counts it', async () => {
    const backend = await opened({ maxSessions: 3, whenFull: 'evict' })
    for (const [index, id] of ['s_1', 's_2', 's_3'].entries()) await backend.create(record(id, { lastAccessedAt: index }), at(index))
    await backend.touch({ id: 's_1', rev: 'rev-of-s_1', lastAccessedAt: 10, expiresAt: Number.POSITIVE_INFINITY }, at(10))
    await backend.replace(record('s_2', { lastAccessedAt: 11 }), 'rev-of-s_2', at(11))
    await backend.create(record('s_4', { lastAccessedAt: 12 }), at(12))
    expect(await idsOf(backend, { limit: 10 })).toEqual(['s_1', 's_2', 's_4'])
    await backend.create(record('s_5', { lastAccessedAt: 13 }), at(13))
    expect(await idsOf(backend, { limit: 10 })).toEqual(['s_2', 's_4', 's_5'])
    expect(backend.evicted?.()).toBe(2)
  })

  it('evicts a session that a replace has made the longest idle', async () => {
    const backend = await opened({ maxSessions: 2, whenFull: 'evict' })
    await backend.create(record('s_1', { lastAccessedAt: 10 }), at(10))
    await backend.create(record('s_2', { lastAccessedAt: 20 }), at(20))
    await backend.replace(record('s_2', { lastAccessedAt: 5 }), 'rev-of-s_2', at(20))
    await backend.create(record('s_3', { lastAccessedAt: 30 }), at(30))
    expect(await idsOf(backend, { limit: 10 })).toEqual(['s_1', 's_3'])
  })

  it('evicts as a full comparison of all accesses would, whatever was touched and deleted', async () => {
    const roll = dice(7)
    const backend = await opened({ maxSessions: 50, whenFull: 'evict' })
    const accesses = new Map<string, number>()
    for (let now = 0; now < 2_000; now += 1) {
      const known = [...accesses.keys()]
      const id = known[roll(known.length + 1)]
      if (id !== undefined && roll(3) > 0) {
        await backend.touch({ id, rev: `rev-of-${id}`, lastAccessedAt: now, expiresAt: Number.POSITIVE_INFINITY }, at(now))
        accesses.set(id, now)
      } else if (id !== undefined && roll(4) === 0) {
        await backend.delete(id, undefined, at(now))
        accesses.delete(id)
      } else {
        const [idle] = [...accesses].sort((a, b) => a[1] - b[1])
        if (accesses.size === 50 && idle !== undefined) accesses.delete(idle[0])
        await backend.create(record(`s_${now}`, { lastAccessedAt: now }), at(now))
        accesses.set(`s_${now}`, now)
      }
      if (now % 100 === 0) expect((await idsOf(backend, { limit: 100 })).sort()).toEqual([...accesses.keys()].sort())
    }
    expect(backend.evicted?.()).toBeGreaterThan(100)
    expect((await idsOf(backend, { limit: 100 })).sort()).toEqual([...accesses.keys()].sort())
  })

  it('warns in its health while it is full', async () => {
    const backend = await opened({ maxSessions: 1 })
    expect((await backend.health(at(0))).warnings).toEqual([])
    await backend.create(record('s_1'), at(0))
    expect((await backend.health(at(0))).warnings).toMatchObject([{ code: 'memory-full' }])
  })
})
