import { SessionError } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { memoryBackend } from '../src/index.ts'
import { at, opened, record } from './records-for-tests.ts'

describe('memoryBackend', () => {
  it('says what it is', () => {
    expect(memoryBackend().info).toEqual({ name: 'memory', contract: 1, sharing: 'process', durability: 'none', expiry: 'swept' })
  })

  it.each([
    [{ maxSessions: 0 }, RangeError, 'got 0'],
    [{ maxSessions: -1 }, RangeError, 'got -1'],
    [{ maxSessions: 1.5 }, RangeError, 'got 1.5'],
    [{ maxSessions: Number.NaN }, RangeError, 'got NaN'],
    [{ maxSessions: '10' }, TypeError, 'got string'],
    [{ whenFull: 'drop' }, RangeError, "got 'drop'"],
    [{ whenFull: true }, TypeError, 'got boolean'],
    [null, TypeError, 'got null'],
  ])('refuses the options %j', (options, kind, message) => {
    const make = () => Reflect.apply(memoryBackend, undefined, [options])
    expect(make).toThrow(kind)
    expect(make).toThrow(message)
  })

  it('takes Infinity and undefined as no bound', async () => {
    for (const options of [{ maxSessions: Number.POSITIVE_INFINITY }, { maxSessions: undefined, whenFull: undefined }]) {
      const backend = await opened(options)
      expect(await backend.create(record('s_1'), at(0))).toBe(true)
    }
  })

  it('rejects with CLOSED before open and after the last close', async () => {
    const backend = memoryBackend()
    const isClosed = (error: unknown) => SessionError.is(error, 'MCP_SESSION_CLOSED')
    await expect(backend.get('s_1', at(0))).rejects.toSatisfy(isClosed)
    await backend.open()
    await backend.open()
    await backend.close()
    expect(await backend.get('s_1', at(0))).toBeUndefined()
    await backend.close()
    for (const call of [
      backend.create(record('s_1'), at(0)),
      backend.list({ limit: 1 }, at(0)),
      backend.deleteExpired(1, at(0)),
      backend.events?.read('s_1', { after: 0, limit: 1, maxAgeMs: 1 }, at(0)),
      backend.signals?.publish('c', 'm', at(0)),
      backend.signals?.subscribe('c', () => {}),
    ]) {
      await expect(call).rejects.toSatisfy(isClosed)
    }
  })

  it('drops everything with the last close, as the end of its process would', async () => {
    const backend = await opened()
    await backend.create(record('s_1', { owner: 'alice', ttlMs: 10 }), at(0))
    await backend.close()
    await backend.open()
    expect(await backend.get('s_1', at(0))).toBeUndefined()
    expect((await backend.list({ limit: 10, owner: 'alice' }, at(0))).records).toEqual([])
    expect((await backend.list({ limit: 10 }, at(0))).records).toEqual([])
    expect(await backend.deleteExpired(10, at(100))).toBe(0)
    expect(await backend.create(record('s_1'), at(0))).toBe(true)
  })

  it('does nothing for a call whose deadline has passed, and says so', async () => {
    const backend = await opened()
    const late = { now: 0, deadlineAt: performance.now() - 1 }
    const error = await backend.create(record('s_1'), late).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'none', retryable: true })
    expect(await backend.get('s_1', at(0))).toBeUndefined()
    await expect(backend.get('s_1', late)).rejects.toSatisfy((reason) => SessionError.is(reason, 'MCP_SESSION_TIMEOUT'))
  })

  it('does nothing for an aborted call, and rejects with its reason', async () => {
    const backend = await opened()
    const reason = new Error('changed my mind')
    await expect(backend.create(record('s_1'), { ...at(0), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await backend.get('s_1', at(0))).toBeUndefined()
    expect(await backend.create(record('s_1'), { ...at(0), signal: new AbortController().signal })).toBe(true)
  })

  it('keeps records apart from the objects that went in and came out', async () => {
    const backend = await opened()
    const given = { ...record('s_1', { data: 'kept' }) }
    await backend.create(given, at(0))
    given.data = 'changed'
    const out = await backend.get('s_1', at(0))
    Object.assign(out ?? {}, { data: 'changed', expiresAt: -1 })
    expect(await backend.get('s_1', at(0))).toEqual(record('s_1', { data: 'kept' }))
  })

  it('moves the instants of a touch forward each on its own, never back', async () => {
    const backend = await opened()
    await backend.create(record('s_1', { lastAccessedAt: 100, ttlMs: 100 }), at(100))
    const rev = 'rev-of-s_1'
    expect(await backend.touch({ id: 's_1', rev, lastAccessedAt: 50, expiresAt: 500 }, at(110))).toBe('touched')
    expect(await backend.get('s_1', at(499))).toMatchObject({ lastAccessedAt: 100, expiresAt: 500 })
    expect(await backend.touch({ id: 's_1', rev, lastAccessedAt: 120, expiresAt: 300 }, at(120))).toBe('touched')
    expect(await backend.get('s_1', at(499))).toMatchObject({ lastAccessedAt: 120, expiresAt: 500 })
    expect(await backend.touch({ id: 's_1', rev, lastAccessedAt: 600, expiresAt: 700 }, at(500))).toBe('missing')
    expect(await backend.get('s_1', at(500))).toBeUndefined()
  })

  it('classifies nothing: it has no driver', () => {
    expect(memoryBackend().classify(new Error('any'))).toBeUndefined()
  })
})
