import { describe, expect, it } from 'vitest'
import { getCreatedAt, getMetadata, getSessionId, newSession, SessionError, setMetadata } from '../src/index.ts'
import { startAt, thrown } from './store.ts'

describe('a detached session', () => {
  it('is a frozen value with a new id', () => {
    const session = newSession({ list: [1] }, { now: startAt, ttlMs: 500, maxLifetimeMs: 400, owner: 'alice', kind: 'cart' })
    expect(session).toEqual({
      id: expect.stringMatching(/^cart_[\w-]{43}$/),
      owner: 'alice',
      createdAt: startAt,
      lastAccessedAt: startAt,
      ttlMs: 500,
      mustEndAt: startAt + 400,
      expiresAt: startAt + 400,
      rev: 'detached',
      metadata: { list: [1] },
      context: undefined,
    })
    for (const part of [session, session.metadata, session.metadata.list]) expect(Object.isFrozen(part)).toBe(true)
    expect(newSession().id).not.toBe(newSession().id)
  })

  it('is empty and lasts for ever unless told otherwise', () => {
    const before = Date.now()
    const session = newSession()
    expect(session).toMatchObject({ metadata: {}, owner: null, expiresAt: Number.POSITIVE_INFINITY })
    expect(session.createdAt).toBeGreaterThanOrEqual(before)
  })

  it('is changed by making another one', () => {
    const session = newSession<{ a: number; b?: string[] }>({ a: 1 }, { now: startAt })
    const list = ['x']
    const changed = setMetadata(session, 'b', list)
    list.push('y')
    expect(session.metadata).toEqual({ a: 1 })
    expect(changed).toEqual({ ...session, metadata: { a: 1, b: ['x'] } })
    expect(Object.isFrozen(changed.metadata)).toBe(true)
    expect(setMetadata(changed, 'a', 2).metadata).toEqual({ a: 2, b: ['x'] })
  })

  it('gives its parts', () => {
    const session = newSession<Record<string, unknown>>({ a: 1, u: undefined }, { now: startAt })
    expect([getSessionId(session), getCreatedAt(session)]).toEqual([session.id, startAt])
    expect([
      getMetadata(session, 'a'),
      getMetadata(session, 'u'),
      getMetadata(session, 'missing'),
      getMetadata(session, 'toString'),
    ]).toEqual([1, undefined, undefined, undefined])
  })

  it('refuses what no store could keep', () => {
    expect(() => newSession({ f: () => 1 })).toThrow(/^metadata\.f: a function/)
    expect(() => setMetadata(newSession<Record<string, unknown>>(), 'x', Symbol('x'))).toThrow(/^metadata\.x: a symbol/)
    expect(() => setMetadata(newSession<Record<string, unknown>>(), '__proto__', { admin: true })).toThrow(TypeError)
    expect(() => newSession([] as unknown as Record<string, unknown>)).toThrow(/got an array/)
  })

  it('stops at a bomb of shared references', () => {
    let bomb: unknown = []
    for (let level = 0; level < 60; level += 1) bomb = [bomb, bomb]
    expect(
      SessionError.is(
        thrown(() => newSession({ bomb })),
        'MCP_SESSION_TOO_LARGE',
      ),
    ).toBe(true)
  })

  it.each([
    [{ ttlMs: -1 }, RangeError],
    [{ ttlMs: '5' as unknown as number }, TypeError],
    [{ maxLifetimeMs: 1.5 }, RangeError],
    [{ kind: 'A' }, RangeError],
    [{ owner: '' }, RangeError],
    [{ now: Number.NaN }, RangeError],
    [{ now: -5 }, RangeError],
  ])('refuses %o', (options, errorClass) => {
    expect(() => newSession({}, options)).toThrow(errorClass)
  })
})
