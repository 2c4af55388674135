import { describe, expect, it } from 'vitest'
import type { EventQuery, NewEvent, Retention } from '../src/backend.ts'
import { bitFlips } from './bit-flips.ts'
import { fails, lostReply, lostRequest } from './reactions.ts'
import { DriverError, scriptedBackend } from './scripted-backend.ts'
import { failure, openStore, present, sessionFailure } from './store.ts'

const retention: Retention = { maxEvents: 100, maxAgeMs: 3_600_000, maxBytes: 1_000_000 }
const all: EventQuery = { after: 0, limit: 100, maxAgeMs: Number.POSITIVE_INFINITY }

async function eventStore(options: Parameters<typeof openStore>[0] = {}) {
  const store = await openStore(options)
  const { id } = await store.sessions.create({})
  return { ...store, id, events: present(store.sessions.events) }
}

function event(key: string, data = `data of ${key}`, stream = 'get'): NewEvent {
  return { key, stream, data }
}

describe('events', () => {
  it('come back in order, exactly, after a sequence', async () => {
    const { events, id } = await eventStore()
    const texts = ['', '{"jsonrpc":"2.0"}', 'é😀 \u2028', 'x'.repeat(100_000)]
    const sequences: (number | undefined)[] = []
    for (const [index, data] of texts.entries()) sequences.push(await events.append(id, event(`k${index}`, data), retention))
    expect(sequences).toEqual([1, 2, 3, 4])
    const page = present(await events.read(id, all))
    expect(page).toMatchObject({ last: 4, trimmed: false })
    expect(page.events.map(({ data }) => data)).toEqual(texts)
    expect(present(await events.read(id, { ...all, after: 2, limit: 1 })).events.map(({ sequence }) => sequence)).toEqual([3])
    expect(present(await events.read(id, { ...all, streams: ['other'] })).events).toEqual([])
  })

  it('are not stored in the words of the application alone', async () => {
    const { events, backend, id } = await eventStore()
    await events.append(id, event('k', 'text'), retention)
    const stored = backend.sent.find(({ method }) => method === 'append')?.args[1] as NewEvent
    expect(stored.data).toMatch(/^1[0-9a-f]{8}text$/)
  })

  it('of a session that is not live are undefined', async () => {
    const { events, sessions, id } = await eventStore()
    expect(await events.append('s_missing', event('k'), retention)).toBeUndefined()
    expect(await events.read('s_missing', all)).toBeUndefined()
    await events.append(id, event('k'), retention)
    await sessions.delete(id)
    expect(await events.append(id, event('k2'), retention)).toBeUndefined()
    expect(await events.read(id, all)).toBeUndefined()
  })

  it('have the same sequence for a repeated key', async () => {
    const { events, id } = await eventStore()
    expect(await events.append(id, event('k', 'first'), retention)).toBe(1)
    expect(await events.append(id, event('k', 'second'), retention)).toBe(1)
    expect(present(await events.read(id, all)).events.map(({ data }) => data)).toEqual(['first'])
  })

  it.each([
    ['reply', lostReply],
    ['request', lostRequest],
  ])('are appended once when a %s gets lost', async (_what, reaction) => {
    const { events, backend, id } = await eventStore()
    backend.once('append', reaction, reaction)
    expect(await events.append(id, event('k'), retention)).toBe(1)
    expect(backend.count('append')).toBe(3)
    const sent = backend.sent.filter(({ method }) => method === 'append').map(({ args }) => args[1])
    expect(sent[1]).toEqual(sent[0])
    expect(present(await events.read(id, all)).events).toHaveLength(1)
  })

  it('that are damaged count as trimmed, and are reported without their text', async () => {
    const { events, backend, id, reported } = await eventStore()
    for (const key of ['a', 'b', 'c']) await events.append(id, event(key, `secret ${key}`), retention)
    backend.once('read', async <T>(apply: () => Promise<T>): Promise<T> => {
      const page = (await apply()) as { events: { data: string }[] }
      const middle = present(page.events[1])
      middle.data = middle.data.replace('secret', 'sEcret')
      return page as T
    })
    const page = present(await events.read(id, all))
    expect(page.events.map(({ key }) => key)).toEqual(['a', 'c'])
    expect([page.trimmed, page.last]).toEqual([true, 3])
    expect(reported).toEqual([expect.objectContaining({ code: 'MCP_SESSION_CORRUPT' })])
    expect(String(reported[0])).not.toMatch(/ecret/)
    expect(String(reported[0])).not.toContain(id)
  })

  it('show every flipped bit of key, stream and data', async () => {
    const { events, backend, id } = await eventStore()
    await events.append(id, event('key', 'data', 'strm'), retention)
    const clean = present(await events.read(id, all)).events[0]
    const stored = backend.sent.find(({ method }) => method === 'append')?.args[1] as NewEvent
    for (const { record } of bitFlips(stored as never)) {
      backend.once('read', async <T>(apply: () => Promise<T>): Promise<T> => {
        const page = (await apply()) as { events: object[] }
        return { ...page, events: [{ ...page.events[0], ...record }] } as T
      })
      expect(present(await events.read(id, all)).events).toEqual([])
    }
    expect(present(await events.read(id, all)).events[0]).toEqual(clean)
  })

  it('of one session are not those of another', async () => {
    const { events, sessions, backend, id } = await eventStore()
    const { id: other } = await sessions.create({})
    await events.append(id, event('k'), retention)
    const page = await backend.events?.read(id, all, { now: 0, deadlineAt: 0 })
    backend.once('read', async <T>() => page as T)
    expect(present(await events.read(other, all))).toMatchObject({ events: [], trimmed: true })
  })

  it.each<[Partial<NewEvent>, typeof Error]>([
    [{ key: '' }, RangeError],
    [{ key: 'a b' }, RangeError],
    [{ key: 'é' }, RangeError],
    [{ key: 'x'.repeat(256) }, RangeError],
    [{ key: 5 as unknown as string }, TypeError],
    [{ stream: '' }, RangeError],
    [{ stream: 'a\0' }, RangeError],
    [{ stream: '\ud800' }, RangeError],
    [{ stream: 'x'.repeat(256) }, RangeError],
    [{ data: 'a\0' }, RangeError],
    [{ data: '\udfff' }, RangeError],
    [{ data: undefined as unknown as string }, TypeError],
  ])('refuse %o before the engine is asked', async (changes, errorClass) => {
    const { events, backend, id } = await eventStore()
    expect(await failure(events.append(id, { ...event('k'), ...changes }, retention))).toBeInstanceOf(errorClass)
    expect(backend.count('append')).toBe(0)
  })

  it('are bounded by 4 MiB', async () => {
    const { events, id } = await eventStore()
    expect(await sessionFailure(events.append(id, event('k', 'x'.repeat(4 * 1_048_576)), retention))).toMatchObject({
      code: 'MCP_SESSION_TOO_LARGE',
    })
    expect(await events.append(id, event('k', 'x'.repeat(4 * 1_048_576 - 16)), retention)).toBe(1)
  })

  it.each<Partial<Retention>>([{ maxEvents: 0 }, { maxEvents: 1.5 }, { maxAgeMs: -1 }, { maxBytes: Number.NaN }])(
    'refuse retention %o',
    async (changes) => {
      const { events, id } = await eventStore()
      expect(await failure(events.append(id, event('k'), { ...retention, ...changes }))).toMatchObject({
        name: 'RangeError',
        message: expect.stringContaining(`retention.${Object.keys(changes)[0]}`),
      })
    },
  )

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'number'],
  ])('refuse %o as a retention, by its name', async (retained, kind) => {
    const { events, backend, id } = await eventStore()
    const appending = events.append(id, event('k'), retained as unknown as Retention)
    expect(await failure(appending)).toEqual(new TypeError(`retention must be an object, got ${kind}`))
    expect(backend.count('append')).toBe(0)
  })

  it.each<Partial<EventQuery>>([{ after: -1 }, { limit: 0 }, { limit: 10_001 }, { maxAgeMs: -1 }, { streams: [''] }])(
    'refuse query %o',
    async (changes) => {
      const { events, backend, id } = await eventStore()
      expect(await failure(events.read(id, { ...all, ...changes }))).toBeInstanceOf(RangeError)
      expect(backend.count('read')).toBe(0)
    },
  )

  it('fail as typed errors', async () => {
    const { events, backend, id } = await eventStore()
    const cause = new DriverError('x', { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' })
    backend.once('append', fails(cause))
    expect(await sessionFailure(events.append(id, event('k'), retention))).toMatchObject({ code: 'MCP_SESSION_LIMIT', cause })
  })

  it('are absent where the backend has none', async () => {
    const { sessions } = await openStore({ backend: scriptedBackend({ withoutFacets: true }) })
    expect([sessions.events, sessions.signals]).toEqual([undefined, undefined])
  })
})
