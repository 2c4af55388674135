import type { EventLog, EventPage, EventQuery, Retention } from '@mcp-session/core/backend'
import { assert, describe, expect, it } from 'vitest'
import { memoryBackend } from '../src/index.ts'
import { at, record } from './records-for-tests.ts'

const never: Retention = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
const everything: EventQuery = { after: 0, limit: 10_000, maxAgeMs: Number.POSITIVE_INFINITY }

async function logOf(...ids: readonly string[]): Promise<EventLog> {
  const backend = memoryBackend()
  await backend.open()
  for (const id of ids) await backend.create(record(id, { ttlMs: 1_000_000 }), at(0))
  assert(backend.events)
  return backend.events
}

async function fill(log: EventLog, keys: readonly string[], retention: Retention = never, stream = 'a'): Promise<(number | undefined)[]> {
  const sequences: (number | undefined)[] = []
  for (const key of keys) sequences.push(await log.append('s_1', { key, stream, data: key }, retention, at(0)))
  return sequences
}

async function read(log: EventLog, query: Partial<EventQuery> = {}, now = 0): Promise<EventPage> {
  const page = await log.read('s_1', { ...everything, ...query }, at(now))
  assert(page)
  return page
}

function sequencesOf(page: EventPage): number[] {
  return page.events.map((event) => event.sequence)
}

describe('events', () => {
  it('numbers on after trimming, and keeps the newest event whatever the bounds are', async () => {
    const log = await logOf('s_1')
    expect(await fill(log, ['k1', 'k2', 'k3', 'k4'], { ...never, maxEvents: 2 })).toEqual([1, 2, 3, 4])
    expect(await read(log)).toMatchObject({ events: [{ sequence: 3 }, { sequence: 4 }], last: 4, trimmed: true })
    expect(await fill(log, ['k5'], { ...never, maxBytes: 0 })).toEqual([5])
    expect(sequencesOf(await read(log))).toEqual([5])
  })

  it('trims by bytes of UTF-8 and by age', async () => {
    const log = await logOf('s_1')
    await fill(log, ['éé', 'ab', 'cd'], { ...never, maxBytes: 6 })
    expect(sequencesOf(await read(log))).toEqual([2, 3])
    await log.append('s_1', { key: 'late', stream: 'a', data: '' }, { ...never, maxAgeMs: 100 }, at(101))
    expect(sequencesOf(await read(log, {}, 101))).toEqual([4])
  })

  it('neither trims nor counts streams that begin with !', async () => {
    const log = await logOf('s_1')
    await fill(log, ['i1', 'i2'], never, '!node')
    await fill(log, ['k1', 'k2', 'k3'], { maxEvents: 2, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 4 })
    expect(sequencesOf(await read(log))).toEqual([1, 2, 4, 5])
    expect(sequencesOf(await read(log, { streams: ['!node'] }))).toEqual([1, 2])
    expect((await read(log, { streams: ['!node'] })).trimmed).toBe(false)
  })

  it('says trimmed of the streams that lost something after the cursor, and of no other', async () => {
    const log = await logOf('s_1')
    await fill(log, ['a1'], never, 'a')
    await fill(log, ['b1'], never, 'b')
    await fill(log, ['c1', 'c2', 'c3'], { ...never, maxEvents: 2 }, 'c')
    expect((await read(log, { streams: ['a'] })).trimmed).toBe(true)
    expect((await read(log, { streams: ['a'], after: 1 })).trimmed).toBe(false)
    expect((await read(log, { streams: ['b'], after: 1 })).trimmed).toBe(true)
    expect((await read(log, { streams: ['c'], after: 2 })).trimmed).toBe(true)
    expect((await read(log, { streams: ['c'], after: 3 })).trimmed).toBe(false)
    expect((await read(log, { streams: ['z'] })).trimmed).toBe(false)
    expect((await read(log, { after: 2 })).trimmed).toBe(true)
    expect((await read(log, { after: 3 })).trimmed).toBe(false)
    expect((await read(log, { after: 6 })).trimmed).toBe(true)
  })

  it('skips what is too old for the reader, says so, and keeps it', async () => {
    const log = await logOf('s_1')
    await log.append('s_1', { key: 'k1', stream: 'a', data: '' }, never, at(0))
    await log.append('s_1', { key: 'k2', stream: 'a', data: '' }, never, at(50))
    expect(await read(log, { maxAgeMs: 100 }, 101)).toMatchObject({ events: [{ sequence: 2, createdAt: 50 }], trimmed: true })
    expect(await read(log, { maxAgeMs: 100 }, 100)).toMatchObject({ events: [{ sequence: 1 }, { sequence: 2 }], trimmed: false })
    expect(await read(log, { maxAgeMs: 100, after: 1 }, 101)).toMatchObject({ trimmed: false })
  })

  it('says trimmed also for an event beyond a full page that is too old', async () => {
    const log = await logOf('s_1')
    await log.append('s_1', { key: 'k1', stream: 'a', data: '' }, never, at(100))
    await log.append('s_1', { key: 'k2', stream: 'a', data: '' }, never, at(100))
    const page = { limit: 1, maxAgeMs: 50 }
    expect(await read(log, page, 100)).toEqual({ events: [expect.objectContaining({ sequence: 1 })], last: 2, trimmed: false })
    await log.append('s_1', { key: 'k3', stream: 'a', data: '' }, never, at(0))
    expect(await read(log, page, 100)).toEqual({ events: [expect.objectContaining({ sequence: 1 })], last: 3, trimmed: true })
  })

  it('stores a repeated key once while it is kept, and anew after it was trimmed', async () => {
    const log = await logOf('s_1')
    expect(await fill(log, ['k1', 'k2', 'k1'])).toEqual([1, 2, 1])
    expect(await fill(log, ['k3', 'k1'], { ...never, maxEvents: 1 })).toEqual([3, 4])
    expect(sequencesOf(await read(log))).toEqual([4])
  })

  it('merges streams in the order of their sequences, page by page', async () => {
    const log = await logOf('s_1')
    for (let index = 1; index <= 20; index += 1)
      await fill(log, [`k${index}`], never, index % 3 === 0 ? '!node' : index % 2 === 0 ? 'a' : 'b')
    const seen: number[] = []
    for (let after = 0; after < 20; after = seen.at(-1) ?? 20) seen.push(...sequencesOf(await read(log, { after, limit: 3 })))
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(sequencesOf(await read(log, { streams: ['a', '!node'], after: 5 }))).toEqual([6, 8, 9, 10, 12, 14, 15, 16, 18, 20])
  })

  it('ends a page before 4 MiB, and gives one event however large', async () => {
    const log = await logOf('s_1')
    const data = 'é'.repeat(1024 * 1024)
    for (const key of ['k1', 'k2', 'k3']) await log.append('s_1', { key, stream: 'a', data }, never, at(0))
    await fill(log, ['small'])
    expect(sequencesOf(await read(log))).toEqual([1, 2])
    expect(sequencesOf(await read(log, { after: 2 }))).toEqual([3, 4])
    await log.append('s_1', { key: 'huge', stream: 'b', data: 'x'.repeat(4 * 1024 * 1024) }, never, at(0))
    expect(sequencesOf(await read(log, { after: 3 }))).toEqual([4])
    expect(sequencesOf(await read(log, { after: 4 }))).toEqual([5])
  })

  it('hands out copies', async () => {
    const log = await logOf('s_1')
    await fill(log, ['k1'])
    Object.assign((await read(log)).events[0] ?? {}, { data: 'changed', sequence: 9 })
    expect((await read(log)).events).toEqual([{ key: 'k1', stream: 'a', data: 'k1', sequence: 1, createdAt: 0 }])
  })

  it('restores a page with its sequences, leaves alone what is there, and goes on above last', async () => {
    const log = await logOf('s_1', 's_2')
    const stored = { stream: 'a', data: 'old', createdAt: 7 }
    const page = {
      events: [
        { ...stored, key: 'k3', sequence: 3 },
        { ...stored, key: 'k7', sequence: 7 },
      ],
      last: 9,
      trimmed: false,
    }
    expect(await log.restore('s_1', page, at(0))).toBe(true)
    expect(await read(log)).toEqual(page)
    const second = [
      { ...stored, key: 'k3', sequence: 4 },
      { ...stored, key: 'other', sequence: 7 },
      { ...stored, key: 'k5', sequence: 5 },
    ]
    expect(await log.restore('s_1', { ...page, events: second }, at(0))).toBe(true)
    expect(sequencesOf(await read(log))).toEqual([3, 5, 7])
    expect((await read(log)).events.at(-1)?.key).toBe('k7')
    expect(await fill(log, ['new'])).toEqual([10])
    expect(await log.restore('s_none', page, at(0))).toBe(false)
  })

  it('restores what the page says about its trimmed events', async () => {
    const log = await logOf('s_1')
    await fill(log, ['k1', 'k2', 'k3', 'k4'], { ...never, maxEvents: 2 })
    const page = await read(log)
    const target = await logOf('s_1')
    await target.restore('s_1', page, at(0))
    expect(await read(target)).toEqual(page)
    expect((await read(target, { after: 2 })).trimmed).toBe(false)
    expect((await read(target, { after: 1, streams: ['a'] })).trimmed).toBe(true)
  })

  it('remembers 4,096 trimmed streams of a session exactly, and errs to trimmed for older ones', async () => {
    const log = await logOf('s_1')
    for (let index = 1; index <= 4_098; index += 1) await fill(log, [`k${index}`], { ...never, maxEvents: 1 }, `stream ${index}`)
    expect((await read(log, { streams: ['stream 1'] })).trimmed).toBe(true)
    expect((await read(log, { streams: ['stream 2'], after: 2 })).trimmed).toBe(false)
    expect((await read(log, { streams: ['stream 4000'], after: 3_999 })).trimmed).toBe(true)
    expect((await read(log, { streams: ['stream 4000'], after: 4_000 })).trimmed).toBe(false)
    expect((await read(log, { streams: ['no such stream'] })).trimmed).toBe(true)
    expect((await read(log, { streams: ['no such stream'], after: 1 })).trimmed).toBe(false)
  })

  it('counts a trimmed stream among the newest again when it loses another event', async () => {
    const log = await logOf('s_1')
    const others = Array.from({ length: 4_095 }, (_, index) => `stream ${index}`)
    for (const [index, stream] of ['again', ...others, 'again', 'new', 'newer'].entries()) {
      await fill(log, [`k${index}`], { ...never, maxEvents: 1 }, stream)
    }
    expect((await read(log, { streams: ['no such stream'], after: 1 })).trimmed).toBe(true)
    expect((await read(log, { streams: ['no such stream'], after: 2 })).trimmed).toBe(false)
    expect((await read(log, { streams: ['again'], after: 4_096 })).trimmed).toBe(true)
  })

  it('stores nothing for a session that is not live, and forgets the events of one that was replaced', async () => {
    const log = await logOf('s_1')
    await fill(log, ['k1'])
    expect(await log.append('s_1', { key: 'k2', stream: 'a', data: '' }, never, at(1_000_000))).toBeUndefined()
    expect(await log.read('s_1', everything, at(1_000_000))).toBeUndefined()
    expect(await log.read('s_none', everything, at(0))).toBeUndefined()
    expect(sequencesOf(await read(log))).toEqual([1])
  })

  it('starts a new session under the same id without the events of the old one', async () => {
    const backend = memoryBackend()
    await backend.open()
    assert(backend.events)
    for (const remove of [() => backend.delete('s_1', undefined, at(0)), () => backend.deleteExpired(1, at(2_000)), async () => {}]) {
      await backend.create(record('s_1', { ttlMs: 1_000 }), at(5_000))
      await fill(backend.events, ['k1', 'k2'])
      await remove()
      await backend.create(record('s_1', { ttlMs: 1_000 }), at(5_000))
      expect(await read(backend.events)).toEqual({ events: [], last: 0, trimmed: false })
    }
  })
})
