import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { createEventStore, type EventStoreOptions, type SessionEventStore } from '../src/event-store.ts'
import type { JsonRpcMessage } from '../src/json-rpc.ts'
import { sharedEngines, sharedStore } from './shared-store.ts'

const get = '_GET_stream'

async function open(backend: SessionBackend, sessionId: string, options: EventStoreOptions = {}): Promise<SessionEventStore> {
  const store = await createEventStore(backend, sessionId, { cleanupIntervalMs: 0, ...options })
  onTestFinished(() => store.close())
  return store
}

function message(word: string): JsonRpcMessage {
  return { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: word } }
}

function wordOf(sent: JsonRpcMessage): unknown {
  return 'params' in sent ? sent.params?.['data'] : undefined
}

/** The words that a resume from an event id brings, and the stream that it names. */
async function resume(store: SessionEventStore, eventId: string): Promise<{ stream: string; words: unknown[]; ids: string[] }> {
  const words: unknown[] = []
  const ids: string[] = []
  const stream = await store.replayEventsAfter(eventId, {
    async send(id, sent) {
      ids.push(id)
      words.push(wordOf(sent))
    },
  })
  return { stream, words, ids }
}

describe.each(['memory', ...sharedEngines] as const)('the event store of a session on %s', { timeout: 30_000 }, (engine) => {
  it('replays what came after an event on its stream, and nothing of other streams', async () => {
    const store = await open((await sharedStore(engine))(), 'plain-uuid')
    const first = await store.storeEvent(get, message('a'))
    await store.storeEvent('f0e1', message('other'))
    await store.storeEvent(get, message('b'))
    expect(await store.getStreamIdForEventId(first)).toBe(get)
    expect(await resume(store, first)).toMatchObject({ stream: get, words: ['b'] })
  })

  it('keeps the order of a burst, over more than one page', async () => {
    const store = await open((await sharedStore(engine))(), 'burst')
    const words = Array.from({ length: 250 }, (_, index) => `w${index}`)
    const ids = await Promise.all(['start', ...words].map((word) => store.storeEvent(get, message(word))))
    expect(new Set(ids).size).toBe(251)
    const resumed = await resume(store, ids[0] ?? '')
    expect(resumed.words).toEqual(words)
    expect(resumed.ids).toEqual(ids.slice(1))
  })

  it('goes on in another process, with the ids of the first', async () => {
    const next = await sharedStore(engine)
    const before = await open(next(), 'moved')
    const id = await before.storeEvent(get, message('a'))
    await before.storeEvent(get, message('b'))
    await before.close()
    const after = await open(next(), 'moved')
    await after.storeEvent(get, message('c'))
    expect((await resume(after, id)).words).toEqual(['b', 'c'])
  })

  it('sends nothing of another session, whatever event id is given', async () => {
    const next = await sharedStore(engine)
    const victim = await open(next(), 'victim')
    const thief = await open(next(), 'thief')
    const secrets = await Promise.all(['s1', 's2', 's3'].map((word) => victim.storeEvent(get, message(word))))
    const own = await thief.storeEvent(get, message('own'))
    const [, , tag = ''] = own.split('.')
    const forged = secrets.map((id) => id.split('.').with(2, tag).join('.'))
    for (const id of secrets) {
      expect(await thief.getStreamIdForEventId(id)).toBeUndefined()
      await expect(thief.replayEventsAfter(id, { send: async () => {} })).rejects.toThrow(RangeError)
    }
    for (const id of [...forged, own, own.replace(/^\d+/, '0')]) {
      const found = await resume(thief, id).catch(() => ({ words: [] }))
      for (const word of found.words) expect(word).toBe('own')
    }
  })

  it('knows no id that is malformed, from the future, or of events that were deleted', async () => {
    const store = await open((await sharedStore(engine))(), 'strict')
    const id = await store.storeEvent(get, message('a'))
    const [, log, tag, stream] = id.split('.')
    for (const wrong of ['', '1', get, `${id}.`, ` ${id}`, `2.${log}.${tag}.${stream}`, `1.${log}.${tag}`, `-1.${log}.${tag}.${stream}`]) {
      expect(await store.getStreamIdForEventId(wrong), wrong).toBeUndefined()
    }
    expect(await store.getStreamIdForEventId(id)).toBe(get)
    expect(await store.delete()).toBe(true)
    expect(await store.getStreamIdForEventId(id)).toBeUndefined()
  })

  it('sends all of a log that has begun anew to a client that knows the old one', async () => {
    const next = await sharedStore(engine)
    const store = await open(next(), 'anew')
    const ids = await Promise.all(['a', 'b', 'c'].map((word) => store.storeEvent(get, message(word))))
    await store.delete()
    const later = await open(next(), 'anew')
    await later.storeEvent(get, message('d'))
    expect((await resume(later, ids[2] ?? '')).words).toEqual(['d'])
  })

  it('begins at the oldest event that retention has left', async () => {
    const store = await open((await sharedStore(engine))(), 'trimmed', { events: { maxEvents: 2 } })
    const ids = await Promise.all(['a', 'b', 'c', 'd'].map((word) => store.storeEvent('!x', message(word))))
    expect((await resume(store, ids[0] ?? '')).words).toEqual(['c', 'd'])
  })

  it('is begun by two nodes at once', async () => {
    const next = await sharedStore(engine)
    const nodes = await Promise.all([open(next(), 'both'), open(next(), 'both'), open(next(), 'both')])
    const ids = await Promise.all(nodes.map((store, index) => store.storeEvent(get, message(`w${index}`))))
    const first = ids.toSorted().at(0) ?? ''
    const { words } = await resume(nodes[0] ?? (await open(next(), 'both')), first)
    expect(new Set([...words, `w${ids.indexOf(first)}`])).toEqual(new Set(['w0', 'w1', 'w2']))
  })

  it('ends without access for ttlMs, and each event is an access', async () => {
    const clock = { now: 1_000_000 }
    const backend = (await sharedStore(engine))()
    const store = await open(backend, 'idle', { ttlMs: 1_000, now: () => clock.now })
    const id = await store.storeEvent(get, message('a'))
    for (const word of ['b', 'c']) {
      clock.now += 900
      await store.storeEvent(get, message(word))
    }
    expect((await resume(store, id)).words).toEqual(['b', 'c'])
    clock.now += 1_001
    expect(await store.getStreamIdForEventId(id)).toBeUndefined()
  })
})

describe('an event store', () => {
  it('keeps the order of the calls where the engine is slow with the first', async () => {
    const { backend, hold } = gatedMemory()
    const store = await open(backend, 'slow')
    const start = await store.storeEvent(get, message('start'))
    const { underway, release } = hold()
    const stored = ['a', 'b'].map((word) => store.storeEvent(get, message(word)))
    await underway
    release()
    await Promise.all(stored)
    expect((await resume(store, start)).words).toEqual(['a', 'b'])
  })

  it('stores nothing between a replay and its end, where a transport could not see it', async () => {
    const store = await open(memoryBackend(), 'gap')
    const start = await store.storeEvent(get, message('start'))
    await store.storeEvent(get, message('a'))
    const order: string[] = []
    let during: Promise<unknown> | undefined
    const replayed = store.replayEventsAfter(start, {
      async send(_id, sent) {
        order.push(`sent ${wordOf(sent)}`)
        during ??= store.storeEvent(get, message('b')).then(() => order.push('stored b'))
      },
    })
    await replayed.then(() => order.push('replayed'))
    await during
    expect(order).toEqual(['sent a', 'replayed', 'stored b'])
  })

  it('stores a message as it was when it was given', async () => {
    const store = await open(memoryBackend(), 'copied')
    const start = await store.storeEvent(get, message('start'))
    const params = { level: 'info', data: 'before' }
    const stored = store.storeEvent(get, { jsonrpc: '2.0', method: 'notifications/message', params })
    params.data = 'after'
    await stored
    expect((await resume(store, start)).words).toEqual(['before'])
  })

  it('sends no priming event', async () => {
    const store = await open(memoryBackend(), 'primed')
    const start = await store.storeEvent('s', message('start'))
    await store.storeEvent('s', {})
    await store.storeEvent('s', message('a'))
    expect((await resume(store, start)).words).toEqual(['a'])
  })

  it('refuses in time what waits behind an event that the engine does not take', async () => {
    const { backend, hold, appends } = gatedMemory()
    const store = await open(backend, 'stuck', { callTimeoutMs: 40 })
    await store.storeEvent(get, message('start'))
    const { release } = hold()
    const sent = appends()
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((word) => store.storeEvent(get, message(word))))
    expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'MCP_SESSION_TIMEOUT' }) })))
    expect(appends() - sent).toBe(1)
    release()
  })

  it('refuses events after its session was deleted', async () => {
    const store = await open(memoryBackend(), 'ended')
    const late = store.storeEvent(get, message('before'))
    const deleted = store.delete()
    await late
    expect(await deleted).toBe(true)
    await expect(store.storeEvent(get, message('after'))).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
    expect(await store.delete()).toBe(false)
  })

  it('stores what was given before it closes, and nothing after', async () => {
    const next = await sharedStore('sqlite')
    const store = await open(next(), 'closing')
    const ids = Promise.all(['a', 'b'].map((word) => store.storeEvent(get, message(word))))
    await store.close()
    const [id = ''] = await ids
    await expect(store.storeEvent(get, message('c'))).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
    expect((await resume(await open(next(), 'closing'), id)).words).toEqual(['b'])
  })

  it('says so where its lifetime leaves it no time', async () => {
    const store = await open(memoryBackend(), 'short', { ttlMs: 0 })
    await expect(store.storeEvent(get, message('a'))).rejects.toThrow('ends as soon as it is made: is ttlMs too short?')
  })

  it('opens the backend, and closes it as the last one', async () => {
    const backend = memoryBackend()
    const one = await createEventStore(backend, 'one')
    const two = await createEventStore(backend, 'two')
    await one.close()
    await one.close()
    expect(await two.storeEvent(get, message('a'))).toEqual(expect.any(String))
    await two.close()
    await expect(backend.get('x', { now: 0, deadlineAt: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
  })

  it('is in no listing, and no session id reaches it', async () => {
    const backend = memoryBackend()
    const store = await open(backend, 's_mine')
    await store.storeEvent(get, message('a'))
    const { records } = await backend.list({ limit: 10 }, { now: Date.now(), deadlineAt: Number.POSITIVE_INFINITY })
    expect(records.map(({ id }) => id)).toEqual(['!events_s_mine'])
  })

  it.each([
    ['', {}, 'sessionId must have 1 to 240 characters'],
    ['a b', {}, 'sessionId must have 1 to 240 characters'],
    ['x'.repeat(241), {}, 'sessionId must have 1 to 240 characters'],
    ['id', { events: { maxEvents: 0 } }, 'events.maxEvents must be a whole number from 1 on, or Infinity, not 0'],
    ['id', { events: { maxevents: 5 } }, 'events has no bound maxevents'],
    ['id', { ttlMs: -1 }, 'ttlMs'],
    ['id', { ttlms: 1 }, 'no option ttlms'],
  ])('refuses the session id %j with %j', async (sessionId, options, problem) => {
    const backend = memoryBackend()
    await expect(createEventStore(backend, sessionId, options as EventStoreOptions)).rejects.toThrow(problem)
    await expect(backend.get('x', { now: 0, deadlineAt: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
  })

  it('refuses a backend without an event log, and leaves it closed', async () => {
    const { events: _none, ...backend } = memoryBackend()
    await expect(createEventStore(backend, 'id')).rejects.toThrow('The backend memory has no event log, which createEventStore needs')
    await expect(backend.get('x', { now: 0, deadlineAt: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
  })
})

/** Memory whose next append can be held back, as a busy engine does. */
function gatedMemory(): { backend: SessionBackend; hold(): { underway: Promise<void>; release(): void }; appends(): number } {
  const backend = memoryBackend()
  const { events } = backend
  if (events === undefined) throw new Error('memory has an event log')
  let gate: { begun(): void; opened: Promise<void> } | undefined
  let count = 0
  return {
    backend: {
      ...backend,
      events: {
        ...events,
        async append(...given) {
          count += 1
          const held = gate
          gate = undefined
          held?.begun()
          await held?.opened
          return events.append(...given)
        },
      },
    },
    hold() {
      const { promise: opened, resolve: release } = deferred<void>()
      const { promise: underway, resolve: begun } = deferred<void>()
      gate = { begun, opened }
      return { underway, release }
    },
    appends: () => count,
  }
}
