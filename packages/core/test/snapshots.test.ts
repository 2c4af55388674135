import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Codec, SessionError } from '../src/index.ts'
import { unseal } from '../src/seal.ts'
import { type ScriptedBackend, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure } from './store.ts'

/** JSON that counts how often it is used. */
function countedCodec() {
  const used = { encoded: 0, decoded: 0 }
  const codec: Codec = {
    encode: (value) => {
      used.encoded += 1
      return JSON.stringify(value)
    },
    decode: (text) => {
      used.decoded += 1
      return JSON.parse(text)
    },
  }
  return { codec, used }
}

function storedMetadata(backend: ScriptedBackend, id: string): string {
  return unseal(present(backend.records.get(id)), 'scripted').metadata
}

describe('snapshots', () => {
  it('are frozen all through, and shared while the rev stays', async () => {
    const { sessions } = await openStore()
    const { id } = await sessions.create({ list: [{ a: 1 }] }, { context: { c: [1] } })
    const one = present(await sessions.retrieve(id))
    const two = present(await sessions.retrieve(id))
    for (const part of [one, one.metadata, one.metadata['list'], one.context]) expect(Object.isFrozen(part)).toBe(true)
    expect(two.metadata).toBe(one.metadata)
    expect(() => {
      ;(one.metadata['list'] as { a: number }[]).push({ a: 2 })
    }).toThrow(TypeError)
  })

  it('share with the next one what an update leaves in its place', async () => {
    const { sessions } = await openStore()
    const { id } = await sessions.create({ big: { list: [1, 2] }, n: 1 })
    const one = present(await sessions.retrieve(id))
    const two = present(await sessions.update(id, (metadata) => ({ ...metadata, n: 2 })))
    expect(two.metadata).toEqual({ big: { list: [1, 2] }, n: 2 })
    expect(two.metadata['big']).toBe(one.metadata['big'])
  })

  it('of a write that failed are never found', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 1 })
    backend.once('replace', () => Promise.reject(new Error('broken')))
    await sessionFailure(sessions.update(id, () => ({ n: 2 })))
    expect(present(await sessions.retrieve(id)).metadata).toEqual({ n: 1 })
    expect(present(await sessions.update(id, ({ n }) => ({ n: Number(n) + 10 }))).metadata).toEqual({ n: 11 })
    const named = `${id}x`
    backend.once('create', () => Promise.reject(new Error('broken')))
    await sessionFailure(sessions.create({ n: 1 }, { id: named }))
    expect(await sessions.touch(named)).toBe(false)
    expect(await sessions.retrieve(named)).toBeUndefined()
  })

  it('give values that freezing cannot protect afresh to each caller', async () => {
    const { sessions } = await openStore()
    const { id } = await sessions.create(
      { d: new Date(5), m: new Map([['k', [1]]]), s: new Set([1]), b: new Uint8Array([1]) },
      { context: new Map() },
    )
    const spoil = async () => {
      const { metadata, context } = present(await sessions.retrieve(id))
      const { d, m, s, b } = metadata as { d: Date; m: Map<string, number[]>; s: Set<number>; b: Uint8Array }
      expect([d.getTime(), m.size, m.get('k'), s.size, b[0], (context as Map<string, number>).size]).toEqual([5, 1, [1], 1, 1, 0])
      d.setTime(0)
      m.set('x', [2])
      s.clear()
      b[0] = 9
      ;(context as Map<string, number>).set('x', 1)
    }
    await spoil()
    await spoil()
    const { sessions: listed } = await sessions.list()
    expect(listed[0]).toMatchObject({ metadata: { m: new Map([['k', [1]]]) } })
    await sessions.update(id, (metadata) => ({ ...metadata, more: 1 }))
    await spoil()
  })

  it('are decoded once while they fit', async () => {
    const { codec, used } = countedCodec()
    const { sessions, backend } = await openStore({ codec })
    const { id } = await sessions.create({ a: 1 })
    for (let count = 0; count < 5; count += 1) await sessions.retrieve(id)
    expect(used.decoded).toBe(1)
    expect(backend.count('get')).toBe(5)
  })

  it('are decoded each time without a cache', async () => {
    const { codec, used } = countedCodec()
    const { sessions } = await openStore({ codec, cacheBytes: 0 })
    const { id } = await sessions.create({ a: 1 })
    const before = used.decoded
    for (let count = 0; count < 5; count += 1) expect((await sessions.retrieve(id))?.metadata).toEqual({ a: 1 })
    expect(used.decoded - before).toBe(5)
  })

  it('are given up by the sweep once their session has expired', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const { sessions, clock } = await openStore()
    const read = async (ttlMs: number) => {
      const { id } = await sessions.create({ deep: { a: 1 } }, { ttlMs })
      return new WeakRef(Object(present(await sessions.retrieve(id)).metadata['deep']))
    }
    const [expired, live] = [await read(1_000), await read(2_000)]
    clock.advance(1_000)
    expect(await sessions.cleanupExpired()).toBe(1)
    // What a job has read through a WeakRef stays alive until the job ends.
    await new Promise(setImmediate)
    collect()
    expect(expired.deref()).toBeUndefined()
    expect(live.deref()).toEqual({ a: 1 })
  })

  it('do not keep the text alive that a part was taken from', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const { sessions } = await openStore()
    const used = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    const before = used()
    for (let count = 0; count < 100; count += 1) {
      const document = `${count} `.repeat(300_000)
      const { id } = await sessions.create({ title: document.slice(0, 40), lines: [document.slice(40, 80)] })
      await sessions.retrieve(id)
    }
    expect(used() - before).toBeLessThan(10_000_000)
  })

  it('stay within the bytes of the cache', async () => {
    const { codec, used } = countedCodec()
    const { sessions } = await openStore({ codec, cacheBytes: 8_000 })
    const ids: string[] = []
    for (let count = 0; count < 40; count += 1) ids.push((await sessions.create({ count })).id)
    used.decoded = 0
    for (const id of ids) await sessions.retrieve(id)
    expect(used.decoded).toBeGreaterThan(0)
    used.decoded = 0
    await sessions.retrieve(present(ids.at(-1)))
    expect(used.decoded).toBe(0)
  })
})

describe('what is kept is never stale', () => {
  it('after a delete and a create of the same id', async () => {
    const { sessions } = await openStore()
    await sessions.create({ n: 1 }, { id: 's_mine' })
    await sessions.retrieve('s_mine')
    await sessions.delete('s_mine')
    await sessions.create({ n: 2 }, { id: 's_mine', owner: 'bob' })
    expect(await sessions.retrieve('s_mine')).toMatchObject({ metadata: { n: 2 }, owner: 'bob' })
  })

  it('after changes through another store', async () => {
    const backend = scriptedBackend()
    const one = (await openStore({ backend })).sessions
    const other = (await openStore({ backend })).sessions
    const { id } = await one.create({ n: 1 })
    await one.retrieve(id)
    await other.update(id, () => ({ n: 2 }))
    expect((await one.retrieve(id))?.metadata).toEqual({ n: 2 })
    await other.updateContext(id, () => 'c')
    await other.setTtl(id, 77_000)
    expect(await one.retrieve(id)).toMatchObject({ metadata: { n: 2 }, context: 'c', ttlMs: 77_000 })
    await other.delete(id)
    expect(await one.retrieve(id)).toBeUndefined()
    await other.create({ n: 3 }, { id })
    expect((await one.retrieve(id))?.metadata).toEqual({ n: 3 })
  })

  it('when the stored bytes rot under the same rev', async () => {
    const { sessions, backend } = await openStore()
    const { id } = await sessions.create({ n: 1 })
    await sessions.retrieve(id)
    const record = present(backend.records.get(id))
    backend.records.set(id, { ...record, data: record.data.replace('"n":1', '"n":3') })
    expect(await sessionFailure(sessions.retrieve(id))).toMatchObject({ code: 'MCP_SESSION_CORRUPT' })
    backend.records.set(id, record)
    expect((await sessions.retrieve(id))?.metadata).toEqual({ n: 1 })
  })

  it('and nothing of a deleted session is kept', async () => {
    const { codec, used } = countedCodec()
    const { sessions, backend } = await openStore({ codec })
    const { id } = await sessions.create({ a: 1 })
    const record = present(backend.records.get(id))
    await sessions.retrieve(id)
    await sessions.delete(id)
    used.decoded = 0
    backend.records.set(id, record)
    await sessions.retrieve(id)
    expect(used.decoded).toBe(1)
  })
})

describe('a schema', () => {
  const schema = z.object({ counter: z.number().int().default(0), name: z.string().optional() })

  it('types, completes and strips metadata on write', async () => {
    const { sessions, backend } = await openStore({ schema })
    const { id, metadata } = await sessions.create({ name: 'a', other: 1 } as unknown as { counter: number; name?: string })
    expect(metadata).toEqual({ counter: 0, name: 'a' })
    expect(storedMetadata(backend, id)).toBe('j{"counter":0,"name":"a"}')
    expect((await sessions.update(id, ({ counter }) => ({ counter: counter + 1 })))?.metadata).toEqual({ counter: 1 })
  })

  it('refuses what does not match, with the path and nothing written', async () => {
    const { sessions, backend } = await openStore({ schema })
    const wrong = { counter: 'five' } as unknown as { counter: number }
    expect(await failure(sessions.create(wrong))).toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(/^metadata does not match the schema: counter: /),
    })
    const { id } = await sessions.create({ counter: 1 })
    expect(await failure(sessions.update(id, () => wrong))).toBeInstanceOf(TypeError)
    expect(await failure(sessions.restore({ ...present(await sessions.retrieve(id)), id: 's_other', metadata: wrong }))).toBeInstanceOf(
      TypeError,
    )
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 1 })
    expect(backend.records.size).toBe(1)
  })

  it('runs on read: older sessions get what is new', async () => {
    const backend = scriptedBackend()
    const { sessions: old } = await openStore({ backend })
    const { id } = await old.create({ name: 'a', dropped: true })
    const { sessions } = await openStore({ backend, schema })
    expect((await sessions.retrieve(id))?.metadata).toEqual({ counter: 0, name: 'a' })
    expect(
      (await sessions.update(id, ({ counter, name }) => ({ counter: counter + 1, ...(name === undefined ? {} : { name }) })))?.metadata,
    ).toEqual({ counter: 1, name: 'a' })
  })

  it('leaves nothing in the text of an update that it strips on read', async () => {
    const backend = scriptedBackend()
    const { sessions: old } = await openStore({ backend })
    const { id } = await old.create({ counter: 0, name: 'a', dropped: true })
    const { sessions } = await openStore({ backend, schema })
    await sessions.update(id, (metadata) => ({ ...metadata, counter: 1 }))
    expect(storedMetadata(backend, id)).toBe('j{"counter":1,"name":"a"}')
  })

  it('names stored metadata that it does not accept', async () => {
    const backend = scriptedBackend()
    const { sessions: old } = await openStore({ backend })
    const { id } = await old.create({ counter: 'five' })
    const { sessions } = await openStore({ backend, schema })
    const error = await sessionFailure(sessions.retrieve(id))
    expect(error).toMatchObject({ code: 'MCP_SESSION_SCHEMA', outcome: 'none', cause: expect.any(TypeError) })
    expect(await sessionFailure(sessions.update(id, () => ({ counter: 1 })))).toMatchObject({ code: 'MCP_SESSION_SCHEMA' })
    expect((await old.retrieve(id))?.metadata).toEqual({ counter: 'five' })
  })

  it('must be synchronous', async () => {
    const asynchronous = z.object({}).refine(async () => true)
    const { sessions } = await openStore({ schema: asynchronous })
    expect(await failure(sessions.create({}))).toMatchObject({ message: expect.stringContaining('schema must be synchronous') })
  })

  it('leaves context alone', async () => {
    const { sessions } = await openStore({ schema })
    const { id } = await sessions.create({ counter: 1 }, { context: { free: true } })
    expect(await sessions.updateContext(id, () => ['anything'])).toMatchObject({ context: ['anything'] })
  })

  it('must give an object', async () => {
    const { sessions } = await openStore({ schema: z.object({}).transform(() => [] as unknown as object) })
    expect(await failure(sessions.create({}))).toMatchObject({ message: expect.stringContaining('got an array') })
  })

  it('that transforms lets an equal value be equal', async () => {
    const { sessions, backend } = await openStore({ schema })
    const { id } = await sessions.create({ counter: 0 })
    await sessions.update(id, () => ({}) as { counter: number })
    expect(backend.count('replace')).toBe(0)
  })
})

/** AES-GCM, a random IV for each text, bound to the place by additional authenticated data. */
function encrypting(): Codec {
  const key = randomBytes(32)
  const aad = ({ id, owner, part }: { id: string; owner: string | null; part: string }) => Buffer.from(`${part}\n${id}\n${owner ?? ''}`)
  return {
    encode: (value, place) => {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad(place))
      const text = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64')
    },
    decode: (text, place) => {
      const bytes = Buffer.from(text, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(aad(place))
      decipher.setAuthTag(bytes.subarray(12, 28))
      return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString())
    },
  }
}

describe('a codec that encrypts', () => {
  it('shows nothing to the engine and everything to the application', async () => {
    const { sessions, backend } = await openStore({ codec: encrypting(), cacheBytes: 0 })
    const { id } = await sessions.create({ secret: 'text' }, { owner: 'alice', context: { also: 'secret' } })
    expect(JSON.stringify([...backend.records.values()])).not.toMatch(/secret|text/)
    expect(await sessions.retrieve(id)).toMatchObject({ metadata: { secret: 'text' }, context: { also: 'secret' } })
  })

  it.each([undefined, z.object({ a: z.number().default(1), list: z.array(z.number()) })])(
    'writes nothing but a touch for an equal value',
    async (schema) => {
      const { sessions, backend } = await openStore<{ list: number[] }>({
        codec: encrypting(),
        ...(schema === undefined ? {} : { schema }),
      })
      const { id } = await sessions.create({ list: [2] }, { context: { b: 1 } })
      await sessions.update(id, () => ({ list: [2] }))
      await sessions.updateContext(id, () => ({ b: 1 }))
      expect([backend.count('replace'), backend.count('touch')]).toEqual([0, 2])
      await sessions.update(id, () => ({ list: [3] }))
      await sessions.updateContext(id, () => undefined)
      await sessions.updateContext(id, () => null)
      expect(backend.count('replace')).toBe(3)
    },
  )

  it('is used anew for another id and owner', async () => {
    const { sessions } = await openStore({ codec: encrypting(), cacheBytes: 0 })
    const { id } = await sessions.create({ a: 1 }, { owner: 'guest', context: 'c' })
    const rotated = present(await sessions.rotate(id, { newOwner: 'alice' }))
    expect(await sessions.retrieve(rotated.id)).toMatchObject({ metadata: { a: 1 }, context: 'c', owner: 'alice' })
  })

  it('makes a session corrupt for whoever has another key', async () => {
    const backend = scriptedBackend()
    const { sessions } = await openStore({ backend, codec: encrypting() })
    const { sessions: stranger } = await openStore({ backend, codec: encrypting() })
    const { id } = await sessions.create({ a: 1 })
    const error = await failure(stranger.retrieve(id))
    expect(SessionError.is(error, 'MCP_SESSION_CORRUPT')).toBe(true)
    expect((await stranger.list()).sessions).toEqual([{ id, error: expect.objectContaining({ code: 'MCP_SESSION_CORRUPT' }) }])
  })
})

describe('a codec', () => {
  it.each(['', 'a\0b', '\ud800', 5, undefined])('that gives %j is refused', async (text) => {
    const { sessions, backend } = await openStore({ codec: { encode: () => text as string, decode: () => ({}) } })
    expect(await failure(sessions.create({}))).toMatchObject({ name: 'TypeError', message: expect.stringContaining('codec.encode') })
    expect(backend.count('create')).toBe(0)
  })

  it('is told where a text belongs', async () => {
    const seen: unknown[] = []
    const codec: Codec = {
      encode: (value, place) => {
        seen.push(place)
        return JSON.stringify(value)
      },
      decode: (text) => JSON.parse(text),
    }
    const { sessions } = await openStore({ codec })
    const { id } = await sessions.create({}, { owner: 'alice', context: 1 })
    expect(seen).toEqual([
      { id, owner: 'alice', part: 'context' },
      { id, owner: 'alice', part: 'metadata' },
    ])
  })

  it('whose text is too large is refused', async () => {
    const { sessions } = await openStore({ maxBytes: 1_000, codec: { encode: () => 'x'.repeat(2_000), decode: () => ({}) } })
    expect(await sessionFailure(sessions.create({}))).toMatchObject({ code: 'MCP_SESSION_TOO_LARGE' })
  })
})
