import { describe, expect, it } from 'vitest'
import { seal, unseal } from '../src/seal.ts'
import { after, fails, lostReply, lostReplyThen, lostRequest } from './reactions.ts'
import { DriverError, type ScriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure } from './store.ts'

interface Counter {
  readonly counter: number
}

const increment = ({ counter }: Counter): Counter => ({ counter: counter + 1 })

async function counterStore(options: Parameters<typeof openStore<Counter>>[0] = {}) {
  // Without a cache nothing is known, and every change begins with a read.
  const store = await openStore<Counter>({ cacheBytes: 0, ...options })
  const { id } = await store.sessions.create({ counter: 0 })
  return { ...store, id }
}

let revs = 0

/** Another node replaces the record, in one step at the engine. */
function otherNode(backend: ScriptedBackend, id: string, counter: number): void {
  const record = present(backend.records.get(id))
  revs += 1
  const next = { ...record, rev: `other.${revs}`, prevRev: record.rev }
  const { context } = unseal(record, 'scripted')
  backend.records.set(id, { ...next, data: seal(next, { context, metadata: `j{"counter":${counter}}` }) })
}

describe('a change of what was seen last', () => {
  async function knownCounter() {
    const store = await counterStore({ cacheBytes: 1_000_000 })
    const calls = () => [store.backend.count('get'), store.backend.count('replace')]
    return { ...store, calls }
  }

  it('is written without a read', async () => {
    const { sessions, id, calls } = await knownCounter()
    for (let count = 1; count <= 3; count += 1) expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: count })
    expect(await sessions.setTtl(id, 5_000)).toBe(true)
    expect(calls()).toEqual([0, 4])
  })

  it('is made again on what others have made of it, without a read, and is no conflict', async () => {
    const { sessions, backend, id, calls } = await knownCounter()
    otherNode(backend, id, 10)
    const seen: number[] = []
    const updated = await sessions.update(id, (metadata) => {
      seen.push(metadata.counter)
      return increment(metadata)
    })
    expect(updated?.metadata).toEqual({ counter: 11 })
    expect([seen, calls()]).toEqual([
      [0, 10],
      [0, 2],
    ])
    expect(sessions.metrics()).toMatchObject({ conflicts: 0, updated: 1 })
  })

  it('is judged by what the engine has where fn refuses it, or would write nothing', async () => {
    const { sessions, backend, id } = await knownCounter()
    otherNode(backend, id, 10)
    const strict = (metadata: Counter) => {
      if (metadata.counter === 0) throw new Error('outdated')
      return increment(metadata)
    }
    expect((await sessions.update(id, strict))?.metadata).toEqual({ counter: 11 })
    otherNode(backend, id, 20)
    expect((await sessions.update(id, (metadata) => (metadata.counter === 11 ? metadata : increment(metadata))))?.metadata).toEqual({
      counter: 21,
    })
    otherNode(backend, id, 0)
    await expect(sessions.update(id, strict)).rejects.toThrow('outdated')
  })

  it('finds nothing where the session has ended meanwhile, or belongs to somebody else', async () => {
    const { sessions, backend, id } = await knownCounter()
    expect(await sessions.update(id, increment, { owner: 'mallory' })).toBeUndefined()
    backend.records.delete(id)
    expect(await sessions.update(id, increment)).toBeUndefined()
    expect(backend.records.has(id)).toBe(false)
  })
})

describe('a touch of what was seen last', () => {
  it('is written without a read, on what is there, and never where nothing is', async () => {
    const { sessions, backend, clock, id } = await counterStore({ cacheBytes: 1_000_000, ttlMs: 1_000 })
    clock.advance(600)
    expect(await sessions.touch(id)).toBe(true)
    expect(backend.count('get')).toBe(0)
    otherNode(backend, id, 10)
    expect(await sessions.touch(id)).toBe(true)
    clock.advance(600)
    expect(present(backend.records.get(id)).expiresAt).toBeGreaterThan(clock.now())
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 10 })
    backend.records.delete(id)
    expect(await sessions.touch(id)).toBe(false)
    expect(await sessions.touch(id, { owner: 'mallory' })).toBe(false)
    expect(sessions.metrics()).toMatchObject({ hits: 3, misses: 2 })
  })
})

describe('a lost race', () => {
  it('is run again with the record that won, without another read', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once(
      'replace',
      after(() => otherNode(backend, id, 10)),
    )
    const seen: number[] = []
    const updated = await sessions.update(id, (metadata) => {
      seen.push(metadata.counter)
      return increment(metadata)
    })
    expect(updated?.metadata).toEqual({ counter: 11 })
    expect(seen).toEqual([0, 10])
    expect([backend.count('get'), backend.count('replace')]).toEqual([1, 2])
    expect(sessions.metrics()).toMatchObject({ conflicts: 1, updated: 1 })
  })

  it('is run again however often, while there is time', async () => {
    const { sessions, backend, id } = await counterStore()
    for (let race = 1; race <= 6; race += 1)
      backend.once(
        'replace',
        after(() => otherNode(backend, id, race * 10)),
      )
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 61 })
    expect(sessions.metrics().conflicts).toBe(6)
  })

  it('ends as CONFLICT at the deadline, with nothing written', async () => {
    const { sessions, backend, id } = await counterStore({ callTimeoutMs: 80 })
    let other = 0
    backend.always(
      'replace',
      after(() => {
        other += 1
        otherNode(backend, id, other * 10)
      }),
    )
    const error = await sessionFailure(sessions.update(id, increment))
    expect(error).toMatchObject({ code: 'MCP_SESSION_CONFLICT', retryable: true, outcome: 'none' })
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: other * 10 })
  })

  it('ends as not found when the winner deleted the session, or rotated it away', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once(
      'replace',
      after(() => backend.records.delete(id)),
    )
    expect(await sessions.update(id, increment)).toBeUndefined()
    const { id: rotated } = await sessions.create({ counter: 5 })
    const other = await openStore<Counter>({ backend })
    backend.once(
      'replace',
      after(() => other.sessions.rotate(rotated)),
    )
    expect(await sessions.update(rotated, increment)).toBeUndefined()
  })

  it('checks the owner again', async () => {
    const { sessions, backend } = await openStore<Counter>()
    const { id } = await sessions.create({ counter: 0 }, { owner: 'alice' })
    backend.once(
      'replace',
      after(() => {
        const record = present(backend.records.get(id))
        const next = { ...record, rev: 'other.x', prevRev: record.rev, owner: 'bob' }
        backend.records.set(id, { ...next, data: seal(next, { context: '', metadata: 'j{"counter":7}' }) })
      }),
    )
    expect(await sessions.update(id, increment, { owner: 'alice' })).toBeUndefined()
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 7 })
  })
})

describe('a replace whose reply got lost', () => {
  it('is sent again, identically, and wins when it never arrived', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once('replace', lostRequest)
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 1 })
    const [first, second] = backend.sent.filter(({ method }) => method === 'replace').map(({ args }) => args)
    expect(second).toEqual(first)
    expect(sessions.metrics()).toMatchObject({ retries: 1, updated: 1, conflicts: 0 })
  })

  it('has landed when the live record is ours', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once('replace', lostReply)
    let runs = 0
    const updated = await sessions.update(id, (metadata) => {
      runs += 1
      return increment(metadata)
    })
    expect([updated?.metadata, runs]).toEqual([{ counter: 1 }, 1])
    expect(await sessions.retrieve(id)).toEqual(updated)
  })

  it('has landed when the live record was made from ours', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once(
      'replace',
      lostReplyThen(() => otherNode(backend, id, 50)),
    )
    let runs = 0
    const updated = await sessions.update(id, (metadata) => {
      runs += 1
      return increment(metadata)
    })
    expect([updated?.metadata, runs]).toEqual([{ counter: 1 }, 1])
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 50 })
  })

  it('is fenced, and run again, when the live record was made from our base', async () => {
    const { sessions, backend, id } = await counterStore()
    const lostToOther = async <T>(): Promise<T> => {
      otherNode(backend, id, 50)
      throw new DriverError('socket closed', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' })
    }
    backend.once('replace', lostToOther)
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 51 })
    expect(sessions.metrics().conflicts).toBe(1)
  })

  it('is unknown when the live record has moved further', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once(
      'replace',
      lostReplyThen(() => {
        otherNode(backend, id, 50)
        otherNode(backend, id, 60)
      }),
    )
    expect(await sessionFailure(sessions.update(id, increment))).toMatchObject({ outcome: 'unknown', retryable: true })
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 60 })
  })

  it.each([
    ['deleted', (backend: ScriptedBackend, id: string) => void backend.records.delete(id)],
    [
      'deleted and created again',
      (backend: ScriptedBackend, id: string) => {
        const next = { ...present(backend.records.get(id)), rev: 'new.1', prevRev: null }
        backend.records.set(id, { ...next, data: seal(next, { context: '', metadata: 'j{"counter":9}' }) })
      },
    ],
  ])('is unknown when the session was %s meanwhile', async (_what, event) => {
    const { sessions, backend, id } = await counterStore()
    backend.once(
      'replace',
      lostReplyThen(() => event(backend, id)),
    )
    expect(await sessionFailure(sessions.update(id, increment))).toMatchObject({ outcome: 'unknown' })
  })

  it('is unknown at the deadline when all replies get lost', async () => {
    const { sessions, backend, id } = await counterStore({ callTimeoutMs: 80 })
    backend.always('replace', lostRequest)
    expect(await sessionFailure(sessions.update(id, increment))).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', outcome: 'unknown' })
    expect(backend.count('replace')).toBeGreaterThan(1)
  })

  it('stays unknown when the next attempt fails for certain', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once('replace', lostReply, fails(new DriverError('full', { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' })))
    expect(await sessionFailure(sessions.update(id, increment))).toMatchObject({ outcome: 'unknown' })
  })

  it('is tried on while the engine is down for certain', async () => {
    const { sessions, backend, id } = await counterStore()
    const down = fails(new DriverError('refused', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' }))
    backend.once('replace', lostReply, down, down)
    expect((await sessions.update(id, increment))?.metadata).toEqual({ counter: 1 })
    expect(backend.count('replace')).toBe(4)
  })

  it('is not sent again when its failure is no lost reply', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once('replace', fails(new Error('unnamed')))
    expect(await sessionFailure(sessions.update(id, increment))).toMatchObject({
      code: 'MCP_SESSION_INTERNAL',
      outcome: 'unknown',
      retryable: false,
    })
    backend.once('replace', fails(new DriverError('refused', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })))
    expect(await sessionFailure(sessions.update(id, increment))).toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', outcome: 'none' })
    expect(backend.count('replace')).toBe(2)
  })

  it('rejects with the reason when it is aborted before the next attempt', async () => {
    const { sessions, backend, id } = await counterStore()
    const controller = new AbortController()
    const reason = new Error('enough')
    backend.always('replace', async () => {
      setImmediate(() => controller.abort(reason))
      throw new DriverError('socket closed', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' })
    })
    expect(await failure(sessions.update(id, increment, { signal: controller.signal }))).toBe(reason)
  })

  it('counts as one change for setTtl and updateContext, too', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once('replace', lostReply, lostReply)
    expect(await sessions.setTtl(id, 5_000)).toBe(true)
    backend.once('replace', lostReply, lostReply)
    expect(await sessions.updateContext(id, () => 'c')).toMatchObject({ context: 'c', ttlMs: 5_000, metadata: { counter: 0 } })
  })
})

describe('a touch whose reply got lost', () => {
  it('is sent again', async () => {
    const { sessions, backend, id } = await counterStore()
    backend.once('touch', lostReply, lostRequest)
    expect(await sessions.touch(id)).toBe(true)
    expect(backend.count('touch')).toBe(3)
    backend.once('touch', lostReply)
    expect(await sessions.update(id, (metadata) => metadata)).toBeDefined()
  })
})
