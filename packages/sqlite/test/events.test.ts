import type { EventQuery, NewEvent, Retention, SessionBackend } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { anyRetention, call, epoch, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

const everything: EventQuery = { after: 0, limit: 10_000, maxAgeMs: Number.POSITIVE_INFINITY }

describe('events', () => {
  it('goes with its session, however that ends', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const small: Retention = { ...anyRetention, maxEvents: 1 }
    const [deleted, expired, replaced] = [newRecord(), newRecord(), newRecord()]
    for (const record of [deleted, expired, replaced]) {
      await backend.create(record, call())
      for (const key of ['1', '2']) await append(backend, record.id, { key }, small)
    }
    const raw = rawDatabase(path)
    const rows = () => ['event', 'log', 'trim'].map((name) => raw.prepare(`SELECT count(*) FROM mcp_session_${name}`).pluck().get())
    expect(rows()).toEqual([3, 3, 3])
    await backend.delete(deleted.id, undefined, call())
    expect(rows()).toEqual([2, 2, 2])
    await backend.create({ ...replaced, expiresAt: epoch + 120_000 }, call(epoch + 60_000))
    expect(await read(backend, replaced.id, epoch + 60_000)).toEqual({ events: [], last: 0, trimmed: false })
    expect(rows()).toEqual([1, 1, 1])
    expect(await backend.deleteExpired(10, call(epoch + 60_000))).toBe(1)
    expect(rows()).toEqual([0, 0, 0])
  })

  it('never counts an exempt stream, nor trims it, nor reuses a sequence', async () => {
    const backend = await opened({ path: newPath() })
    const { id } = newRecord()
    await backend.create(newRecord({ id }), call())
    const two: Retention = { ...anyRetention, maxEvents: 2 }
    for (let index = 1; index <= 40; index += 1) {
      const stream = index % 4 === 0 ? '!internal' : 'a'
      expect(await append(backend, id, { key: `${index}`, stream }, two)).toBe(index)
    }
    const page = await read(backend, id)
    expect(page?.events.map(({ sequence }) => sequence)).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 38, 39, 40])
    expect(page).toMatchObject({ last: 40, trimmed: true })
    expect((await read(backend, id, epoch, { streams: ['!internal'] }))?.trimmed).toBe(false)
    expect((await read(backend, id, epoch, { after: 37 }))?.trimmed).toBe(false)
  })

  it('trims by bytes of UTF-8 and by age, and keeps the newest', async () => {
    const backend = await opened({ path: newPath() })
    const { id } = newRecord()
    await backend.create(newRecord({ id }), call())
    const tenBytes: Retention = { ...anyRetention, maxBytes: 10 }
    await append(backend, id, { key: '1', data: 'éé' }, tenBytes)
    await append(backend, id, { key: '2', data: 'ééé' }, tenBytes)
    expect((await read(backend, id))?.events).toHaveLength(2)
    await append(backend, id, { key: '3', data: 'x' }, tenBytes)
    expect((await read(backend, id))?.events.map(({ key }) => key)).toEqual(['2', '3'])
    await append(backend, id, { key: '4', data: 'x'.repeat(100) }, tenBytes)
    expect((await read(backend, id))?.events.map(({ key }) => key)).toEqual(['4'])
    await append(backend, id, { key: '5', data: '' }, { ...anyRetention, maxAgeMs: 10 }, epoch + 11)
    expect((await read(backend, id))?.events.map(({ key }) => key)).toEqual(['5'])
  })

  it('remembers which streams were trimmed, the oldest of very many together', { timeout: 30_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path, durable: false })
    const { id } = newRecord()
    await backend.create(newRecord({ id }), call())
    const one: Retention = { ...anyRetention, maxEvents: 1 }
    const count = 4_096 + 512
    await Promise.all(Array.from({ length: count }, (_, index) => append(backend, id, { key: `${index}`, stream: `r${index}` }, one)))
    const trims = rawDatabase(path).prepare('SELECT count(*) FROM mcp_session_trim').pluck().get()
    expect(trims).toBeLessThanOrEqual(4_096 + 256)
    expect((await read(backend, id, epoch, { streams: ['r0'] }))?.trimmed).toBe(true)
    expect((await read(backend, id, epoch, { streams: [`r${count - 2}`] }))?.trimmed).toBe(true)
    expect((await read(backend, id, epoch, { streams: [`r${count - 1}`], after: count - 1 }))?.trimmed).toBe(false)
    expect((await read(backend, id, epoch, { streams: ['other'], after: 1_000 }))?.trimmed).toBe(false)
  })

  it('share a transaction, in the order of the calls', async () => {
    const backend = await opened({ path: newPath() })
    const { id } = newRecord()
    await backend.create(newRecord({ id }), call())
    const sequences = await Promise.all(Array.from({ length: 500 }, (_, index) => append(backend, id, { key: `${index}` }, anyRetention)))
    expect(sequences).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
  })
})

function append(backend: SessionBackend, id: string, event: Partial<NewEvent>, retention: Retention, now = epoch) {
  return backend.events?.append(id, { key: 'k', stream: 'a', data: 'x', ...event }, retention, call(now))
}

function read(backend: SessionBackend, id: string, now = epoch, query: Partial<EventQuery> = {}) {
  return backend.events?.read(id, { ...everything, ...query }, call(now))
}
