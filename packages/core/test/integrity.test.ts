import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../src/backend.ts'
import { SessionError, type Sessions } from '../src/index.ts'
import { bitFlips, type Flip } from './bit-flips.ts'
import type { ScriptedBackend } from './scripted-backend.ts'
import { type ManualClock, openStore, present } from './store.ts'

type Verdict = 'corrupt' | 'absent' | 'found'

async function verdictOf(call: Promise<unknown>): Promise<Verdict> {
  try {
    const value = await call
    return value === undefined || value === false ? 'absent' : 'found'
  } catch (error) {
    if (SessionError.is(error, 'MCP_SESSION_CORRUPT')) return 'corrupt'
    throw error
  }
}

/** `cacheBytes` 0: a change begins with a read. What was seen last is overwritten whole, whatever has become of it. */
async function stored(owner: string | null, ttlMs: number, maxLifetimeMs: number, cacheBytes = 0) {
  const { sessions, backend, clock } = await openStore({ touchIntervalMs: Number.POSITIVE_INFINITY, cacheBytes })
  const { id } = await sessions.create({ n: 1 }, { owner, ttlMs, maxLifetimeMs, context: 'c', id: 's_Abc' })
  clock.advance(5)
  await sessions.update(id, () => ({ n: 2, text: 'é' }))
  return { sessions, backend, clock, id, record: present(backend.records.get(id)) }
}

interface Surprise {
  readonly field: string
  readonly bit: number
  readonly value: unknown
  readonly verdict: Verdict
}

/** What a call says that it should not, of a record with one bit turned over, for each of its bits. */
async function surprises(
  record: SessionRecord,
  backend: ScriptedBackend,
  clock: ManualClock,
  call: () => Promise<unknown>,
): Promise<Surprise[]> {
  const found: Surprise[] = []
  let flips = 0
  for (const flip of bitFlips(record)) {
    backend.records.set(record.id, flip.record)
    const verdict = await verdictOf(call())
    flips += 1
    if (verdict !== (isGone(flip, clock.now()) ? 'absent' : 'corrupt')) {
      found.push({ field: flip.field, bit: flip.bit, value: flip.record[flip.field], verdict })
    }
  }
  expect(flips).toBeGreaterThan(700)
  return found
}

/** Of a flipped `expiresAt` that lies in the past the engine says itself that the session is gone. */
function isGone({ field, record }: Flip, now: number): boolean {
  return field === 'expiresAt' && record.expiresAt <= now
}

describe('one flipped bit in any field of a stored record', () => {
  const kinds: [name: string, owner: string | null, ttlMs: number, maxLifetimeMs: number][] = [
    ['owned and limited', 'alice', 60_000, 900_000],
    ['unowned and idle', null, 60_000, Number.POSITIVE_INFINITY],
  ]

  describe.each(kinds)('%s', (_name, owner, ttlMs, maxLifetimeMs) => {
    const calls: [name: string, run: (sessions: Sessions<object>, id: string) => Promise<unknown>][] = [
      ['retrieve', (sessions, id) => sessions.retrieve(id)],
      ['retrieve by the owner', (sessions, id) => sessions.retrieve(id, { owner })],
      ['retrieve by a stranger', (sessions, id) => sessions.retrieve(id, { owner: 'mallory' })],
      ['update', (sessions, id) => sessions.update(id, () => ({ n: 3 }))],
      ['touch', (sessions, id) => sessions.touch(id)],
      ['setTtl', (sessions, id) => sessions.setTtl(id, 5)],
      ['consume', (sessions, id) => sessions.consume(id)],
      ['delete by the owner', (sessions, id) => sessions.delete(id, { owner })],
      ['rotate', (sessions, id) => sessions.rotate(id)],
    ]

    it.each(calls)('%s says CORRUPT', async (_call, run) => {
      const { sessions, backend, clock, id, record } = await stored(owner, ttlMs, maxLifetimeMs)
      expect(await surprises(record, backend, clock, () => run(sessions, id))).toEqual([])
      expect(backend.count('replace')).toBe(1)
      expect(backend.count('delete') + backend.count('touch')).toBe(0)
    })

    it('retrieve says CORRUPT also when the session is kept decoded', async () => {
      const { sessions, backend, clock, id, record } = await stored(owner, ttlMs, maxLifetimeMs, 1_000_000)
      const cached = async () => {
        const rotten = present(backend.records.get(id))
        backend.records.set(id, record)
        await sessions.retrieve(id)
        backend.records.set(id, rotten)
        return sessions.retrieve(id)
      }
      expect(await surprises(record, backend, clock, cached)).toEqual([])
    })

    it('a listing names it as corrupt', async () => {
      const { sessions, backend, clock, record } = await stored(owner, ttlMs, maxLifetimeMs)
      for (const flip of bitFlips(record)) {
        backend.records.set(record.id, flip.record)
        const { sessions: listed } = await sessions.list()
        // A record whose id no longer begins with the kind is not of this listing.
        const expected =
          isGone(flip, clock.now()) || !flip.record.id.startsWith('s_') ? [] : [{ id: flip.record.id, error: expect.any(SessionError) }]
        expect(listed).toEqual(expected)
      }
    })
  })

  it('of a session without limits is noticed in all fields but lastAccessedAt, whose bytes are the engine’s duty', async () => {
    // Its expiry does not depend on that instant, so the core has nothing to compare it with.
    const { sessions, backend, clock, id, record } = await stored(null, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    const missed = await surprises(record, backend, clock, () => sessions.retrieve(id))
    expect(new Set(missed.map(({ field, verdict }) => `${field} ${verdict}`))).toEqual(new Set(['lastAccessedAt found']))
    for (const { value } of missed) expect(Number.isSafeInteger(value) && Number(value) >= record.createdAt).toBe(true)
  })

  it('in the record that beat an update is CORRUPT, too', async () => {
    const { sessions, backend, id, record } = await stored('alice', 60_000, 900_000)
    backend.once('replace', async (apply) => {
      backend.records.set(id, { ...record, rev: 'other.1' })
      return apply()
    })
    expect(await verdictOf(sessions.update(id, () => ({ n: 3 })))).toBe('corrupt')
  })
})

describe('what another record says', () => {
  it('is CORRUPT under this id: data cannot be moved between sessions', async () => {
    const { sessions, backend } = await openStore()
    const mine = await sessions.create({ mine: true }, { owner: 'alice' })
    const yours = await sessions.create({ yours: true }, { owner: 'bob' })
    const { data, rev } = present(backend.records.get(yours.id))
    backend.records.set(mine.id, { ...present(backend.records.get(mine.id)), data, rev })
    expect(await verdictOf(sessions.retrieve(mine.id))).toBe('corrupt')
    backend.records.set(mine.id, { ...present(backend.records.get(yours.id)), id: mine.id })
    expect(await verdictOf(sessions.retrieve(mine.id))).toBe('corrupt')
  })
})
