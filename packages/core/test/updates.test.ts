import { describe, expect, it } from 'vitest'
import { SessionError } from '../src/index.ts'
import { after, hang, parked } from './reactions.ts'
import { scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure, startAt, thrown } from './store.ts'

interface Counter {
  readonly counter: number
}

const increment = ({ counter }: Counter): Counter => ({ counter: counter + 1 })

async function counterStore(options: Parameters<typeof openStore<Counter>>[0] = {}) {
  const store = await openStore<Counter>(options)
  const { id } = await store.sessions.create({ counter: 0 })
  return { ...store, id }
}

describe('update', () => {
  it('replaces the metadata by what fn makes of it, under a new rev', async () => {
    const { sessions, backend, clock, id } = await counterStore({ ttlMs: 10_000 })
    const before = present(backend.records.get(id))
    clock.advance(5)
    const updated = await sessions.update(id, increment)
    expect(updated).toMatchObject({
      id,
      metadata: { counter: 1 },
      createdAt: startAt,
      lastAccessedAt: startAt + 5,
      expiresAt: startAt + 10_005,
    })
    expect(updated?.rev).not.toBe(before.rev)
    expect(present(backend.records.get(id))).toMatchObject({ rev: updated?.rev, prevRev: before.rev })
    expect(await sessions.retrieve(id)).toEqual(updated)
  })

  it('is undefined, and runs nothing, when there is no session', async () => {
    const { sessions } = await counterStore()
    let ran = false
    expect(
      await sessions.update('s_missing', () => {
        ran = true
        return { counter: 1 }
      }),
    ).toBeUndefined()
    expect(ran).toBe(false)
  })

  it('50 at once of one session end at 50', async () => {
    const { sessions, id } = await counterStore()
    await Promise.all(Array.from({ length: 50 }, () => sessions.update(id, increment)))
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 50 })
    // They queue: none of them makes another lose.
    expect(sessions.metrics()).toMatchObject({ updated: 50, conflicts: 0 })
  })

  it('50 at once through 5 stores on one engine end at 50', async () => {
    const backend = scriptedBackend()
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore<Counter>({ backend })))
    const { id } = await present(stores[0]).sessions.create({ counter: 0 })
    await Promise.all(Array.from({ length: 50 }, (_, index) => present(stores[index % 5]).sessions.update(id, increment)))
    expect((await present(stores[3]).sessions.retrieve(id))?.metadata).toEqual({ counter: 50 })
  })

  it('of different sessions does not wait for each other', async () => {
    const { sessions, backend, id } = await counterStore()
    const { id: other } = await sessions.create({ counter: 5 })
    const { reaction, arrived, release } = parked()
    backend.once('replace', reaction)
    const first = sessions.update(id, increment)
    await arrived
    expect((await sessions.update(other, increment))?.metadata).toEqual({ counter: 6 })
    release()
    expect((await first)?.metadata).toEqual({ counter: 1 })
  })

  it('gives fn frozen metadata', async () => {
    const { sessions } = await openStore<{ list: { n: number }[] }>()
    const { id } = await sessions.create({ list: [{ n: 1 }] })
    const mutate = (metadata: { list: { n: number }[] }) => {
      metadata.list.push({ n: 2 })
      return metadata
    }
    expect(await failure(sessions.update(id, mutate))).toBeInstanceOf(TypeError)
    expect((await sessions.retrieve(id))?.metadata).toEqual({ list: [{ n: 1 }] })
  })

  it('accepts a Map that fn changed in place', async () => {
    const { sessions } = await openStore<{ map: Map<string, number> }>()
    const { id } = await sessions.create({ map: new Map() })
    const updated = await sessions.update(id, (metadata) => {
      metadata.map.set('a', 1)
      return metadata
    })
    expect(updated?.metadata.map).toEqual(new Map([['a', 1]]))
    expect((await sessions.retrieve(id))?.metadata.map).toEqual(new Map([['a', 1]]))
  })

  it('keeps context, and updateContext keeps metadata', async () => {
    const { sessions } = await openStore<Counter>()
    const { id } = await sessions.create({ counter: 1 }, { context: { handshake: 1 } })
    expect(await sessions.update(id, increment)).toMatchObject({ metadata: { counter: 2 }, context: { handshake: 1 } })
    expect(await sessions.updateContext(id, (context) => [context])).toMatchObject({
      metadata: { counter: 2 },
      context: [{ handshake: 1 }],
    })
    expect(await sessions.updateContext(id, () => undefined)).toMatchObject({ metadata: { counter: 2 }, context: undefined })
    expect(await sessions.updateContext(id, () => null)).toMatchObject({ context: null })
    expect(await sessions.retrieve(id)).toMatchObject({ metadata: { counter: 2 }, context: null })
  })
})

describe('fn', () => {
  it('that throws writes nothing, and what it threw is rethrown as it is', async () => {
    const { sessions, backend, id } = await counterStore()
    const before = present(backend.records.get(id))
    for (const value of [new Error('mine'), 'a text', undefined, { code: 'MCP_SESSION_LIMIT' }]) {
      const error = await failure(
        sessions.update(id, () => {
          throw value
        }),
      )
      expect(error).toBe(value)
    }
    expect(backend.records.get(id)).toEqual(before)
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 1 })
  })

  it('that returns a promise is a TypeError, writes nothing, and leaves no unhandled rejection', async () => {
    const { sessions, backend, id } = await counterStore()
    const before = present(backend.records.get(id))
    const unhandled: unknown[] = []
    const listener = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    const asynchronous = (async () => {
      throw new Error('unheard')
    }) as unknown as () => Counter
    const message = expect.stringContaining('fn must be synchronous: it returned a promise')
    expect(await failure(sessions.update(id, asynchronous))).toMatchObject({ name: 'TypeError', message })
    expect(await failure(sessions.updateContext(id, async () => 1))).toMatchObject({ name: 'TypeError', message })
    await new Promise<void>((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
    expect(backend.records.get(id)).toEqual(before)
  })

  it('that returns undefined is a TypeError and writes nothing', async () => {
    const { sessions, backend, id } = await counterStore()
    const before = present(backend.records.get(id))
    const nothing = (() => {}) as unknown as () => Counter
    expect(await failure(sessions.update(id, nothing))).toEqual(new TypeError('fn must return the new metadata, got undefined'))
    expect(backend.records.get(id)).toEqual(before)
  })

  it('that is no function is a TypeError before the engine is asked', async () => {
    const { sessions, backend, id } = await counterStore()
    const sent = backend.sent.length
    const wrong = { counter: 1 } as unknown as () => Counter
    expect(await failure(sessions.update(id, wrong))).toEqual(new TypeError('fn must be a function, got object'))
    expect(await failure(sessions.updateContext(id, undefined as unknown as () => unknown))).toBeInstanceOf(TypeError)
    expect(backend.sent).toHaveLength(sent)
  })

  it('that updates its own session throws at once, not by its promise', async () => {
    const { sessions, id } = await counterStore()
    const seen: unknown[] = []
    const updated = await sessions.update(id, (metadata) => {
      for (const nested of [() => sessions.update(id, increment), () => sessions.updateContext(id, () => 1)]) seen.push(thrown(nested))
      return increment(metadata)
    })
    expect(seen).toEqual([expect.any(TypeError), expect.any(TypeError)])
    expect(updated?.metadata).toEqual({ counter: 1 })
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 2 })
  })

  it('may update another session', async () => {
    const { sessions, id } = await counterStore()
    const { id: other } = await sessions.create({ counter: 10 })
    let nested: Promise<unknown> | undefined
    await sessions.update(id, (metadata) => {
      nested = sessions.update(other, increment)
      return increment(metadata)
    })
    await nested
    expect((await sessions.retrieve(other))?.metadata).toEqual({ counter: 11 })
  })
})

describe('an equal value', () => {
  it('writes nothing but a touch', async () => {
    const { sessions, backend, clock, id } = await counterStore({ ttlMs: 1_000 })
    const before = present(backend.records.get(id))
    clock.advance(100)
    const same = await sessions.update(id, (metadata) => ({ ...metadata }))
    expect(same).toMatchObject({ rev: before.rev, lastAccessedAt: startAt + 100, expiresAt: startAt + 1_100, metadata: { counter: 0 } })
    expect(backend.records.get(id)).toEqual({ ...before, lastAccessedAt: startAt + 100, expiresAt: startAt + 1_100 })
    expect([backend.count('replace'), backend.count('touch')]).toEqual([0, 1])
    expect(sessions.metrics()).toMatchObject({ updated: 0, touches: 1 })
  })

  it('holds for every storable type, for context and for setTtl', async () => {
    const { sessions, backend } = await openStore<Record<string, unknown>>()
    const value = () => ({ d: new Date(5), m: new Map([[1n, new Set([Number.NaN])]]), u: undefined, z: -0, b: new Uint8Array([1]) })
    const { id } = await sessions.create(value(), { context: value(), ttlMs: 500 })
    await sessions.update(id, value)
    await sessions.updateContext(id, value)
    expect(await sessions.setTtl(id, 500)).toBe(true)
    expect([backend.count('replace'), backend.count('touch')]).toEqual([0, 3])
  })

  it.each([
    [{ z: 0 }, { z: -0 }],
    [{ a: undefined }, {}],
    [{ a: 1 }, { a: 1n }],
    [{ a: '1' }, { a: 1 }],
    [{ a: Object.create(null) }, { a: {} }],
    [{ a: [] }, { a: {} }],
    [{ a: new Map() }, { a: new Set() }],
    [{ a: 0 }, { a: new Date(0) }],
  ])('%o does not equal %o', async (before, value) => {
    const { sessions, backend } = await openStore<Record<string, unknown>>()
    const { id } = await sessions.create(before)
    await sessions.update(id, () => value)
    expect(backend.count('replace')).toBe(1)
  })

  it('is undefined when the session was deleted meanwhile', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once(
      'touch',
      after(() => backend.records.delete(id)),
    )
    expect(await sessions.update(id, (metadata) => metadata)).toBeUndefined()
  })
})

describe('the queue of one session', () => {
  it('keeps the order of the callers', async () => {
    const { sessions } = await openStore<{ log: number[] }>()
    const { id } = await sessions.create({ log: [] })
    await Promise.all(Array.from({ length: 20 }, (_, n) => sessions.update(id, ({ log }) => ({ log: [...log, n] }))))
    expect((await sessions.retrieve(id))?.metadata.log).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('goes on when one in it was aborted, whose fn never runs', async () => {
    const { sessions, backend, id } = await counterStore({ cacheBytes: 0 })
    const { reaction, arrived, release } = parked()
    backend.once('get', reaction)
    const controller = new AbortController()
    const first = sessions.update(id, increment)
    await arrived
    let ran = false
    const aborted = sessions.update(
      id,
      () => {
        ran = true
        return { counter: 100 }
      },
      { signal: controller.signal },
    )
    const last = sessions.update(id, increment)
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await failure(aborted)).toBe(reason)
    release()
    expect((await first)?.metadata).toEqual({ counter: 1 })
    expect((await last)?.metadata).toEqual({ counter: 2 })
    expect(ran).toBe(false)
  })

  it('lets nobody wait beyond his own deadline', async () => {
    const { sessions, backend, id } = await counterStore({ callTimeoutMs: 40, cacheBytes: 0 })
    backend.once('get', hang)
    const errors = await Promise.all(Array.from({ length: 5 }, () => sessionFailure(sessions.update(id, increment))))
    for (const error of errors) expect(error).toMatchObject({ code: 'MCP_SESSION_TIMEOUT', outcome: 'none' })
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 1 })
  })

  it('judges expiry by the instant at which a waiting update begins', async () => {
    const { sessions, backend, clock, id } = await counterStore({ ttlMs: 1_000 })
    const { reaction, arrived, release } = parked()
    backend.once('replace', reaction)
    const first = sessions.update(id, increment)
    await arrived
    const second = sessions.update(id, increment)
    clock.advance(2_000)
    release()
    await first
    expect(await second).toBeUndefined()
  })
})

describe('an abort', () => {
  it('before the call rejects with the reason and asks nothing', async () => {
    const { sessions, backend, id } = await counterStore()
    const sent = backend.sent.length
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    for (const call of [
      () => sessions.create({ counter: 1 }, { signal }),
      () => sessions.retrieve(id, { signal }),
      () => sessions.update(id, increment, { signal }),
      () => sessions.updateContext(id, () => 1, { signal }),
      () => sessions.delete(id, { signal }),
      () => sessions.consume(id, { signal }),
      () => sessions.setTtl(id, 5, { signal }),
      () => sessions.touch(id, { signal }),
      () => sessions.rotate(id, { signal }),
      () => sessions.list({ signal }),
      () => sessions.count({ signal }),
      () => sessions.cleanupExpired({ signal }),
      () => sessions.deleteByOwner('alice', { signal }),
      () => sessions.health({ signal }),
    ]) {
      expect(await failure(call())).toBe(reason)
    }
    expect(backend.sent).toHaveLength(sent)
  })

  it.each(['get', 'replace'] as const)('during %s rejects with the reason at once', async (method) => {
    const { sessions, backend, id } = await counterStore({ cacheBytes: 0 })
    const { reaction, arrived, release } = parked()
    backend.once(method, reaction)
    const controller = new AbortController()
    const updating = sessions.update(id, increment, { signal: controller.signal })
    await arrived
    controller.abort()
    expect(await failure(updating)).toBe(controller.signal.reason)
    release()
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: method === 'get' ? 1 : 2 })
  })

  it('after the call changes nothing', async () => {
    const { sessions, id } = await counterStore()
    const controller = new AbortController()
    const updated = await sessions.update(id, increment, { signal: controller.signal })
    controller.abort()
    expect(await sessions.retrieve(id)).toEqual(updated)
    expect(SessionError.is(await failure(sessions.retrieve(id, { signal: controller.signal })))).toBe(false)
  })
})
