import { once } from 'node:events'
import { openSessions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEventBus, type EventBus, type EventBusOptions } from '../src/event-bus.ts'
import type { ServerEvent } from '../src/server-events.ts'
import { onEachEngine, sharedStore } from './shared-store.ts'

interface TestBus extends EventBus {
  readonly errors: unknown[]
}

async function join(backend: SessionBackend, options: EventBusOptions = {}): Promise<TestBus> {
  const errors: unknown[] = []
  const bus = await createEventBus(backend, {
    cleanupIntervalMs: 0,
    pollIntervalMs: 40,
    onError: (error) => errors.push(error),
    ...options,
  })
  onTestFinished(() => bus.close())
  return { ...bus, errors }
}

/** What a listener has heard so far, and the next thing that it hears. */
function listen(bus: EventBus): { heard: string[]; next(): Promise<string> } {
  const heard: string[] = []
  const readers: ((text: string) => void)[] = []
  let read = 0
  bus.subscribe((event) => {
    heard.push(textOf(event))
    readers.shift()?.(textOf(event))
  })
  return {
    heard,
    next() {
      const known = heard[read]
      read += 1
      return known === undefined ? new Promise((resolve) => readers.push(resolve)) : Promise.resolve(known)
    },
  }
}

function textOf(event: ServerEvent): string {
  return event.kind === 'resource_updated' ? event.uri : event.kind
}

function updated(uri: string): ServerEvent {
  return { kind: 'resource_updated', uri }
}

const everything = ['tools_list_changed', 'prompts_list_changed', 'resources_list_changed']

function withoutSignals(backend: SessionBackend): SessionBackend {
  const { signals: _dropped, ...deaf } = backend
  return deaf
}

interface Outage {
  append: boolean
  read: boolean
  /** Appends that were refused. */
  refused: number
}

/** A backend whose log can be out of order. */
function unreliable(backend: SessionBackend): { backend: SessionBackend; outage: Outage } {
  const { events } = backend
  if (events === undefined) throw new Error('the backend has an event log')
  const outage: Outage = { append: false, read: false, refused: 0 }
  const refuse = () => Promise.reject(new Error('down'))
  return {
    outage,
    backend: {
      ...backend,
      events: {
        ...events,
        async append(...given) {
          if (!outage.append) return events.append(...given)
          outage.refused += 1
          return refuse()
        },
        read: async (...given) => (outage.read ? refuse() : events.read(...given)),
      },
    },
  }
}

const ways = [
  { way: 'with signals alone', hear: (backend: SessionBackend) => backend, pollIntervalMs: 600_000 },
  { way: 'with every signal dropped', hear: withoutSignals, pollIntervalMs: 40 },
]

describe.each(onEachEngine(ways))('buses on one store of $engine, $way', { timeout: 30_000 }, ({ engine, hear, pollIntervalMs }) => {
  it('hear what another one publishes, each event once and in its order', async () => {
    const next = await sharedStore(engine)
    const [one, two] = [await join(hear(next()), { pollIntervalMs }), await join(hear(next()), { pollIntervalMs })]
    const [here, there] = [listen(one), listen(two)]
    const uris = Array.from({ length: 30 }, (_, index) => `test://${index}`)
    for (const uri of uris) one.publish(updated(uri))
    expect(here.heard).toEqual(uris)
    for (const uri of uris) expect(await there.next()).toBe(uri)
    two.publish({ kind: 'tools_list_changed' })
    for (const uri of [...uris, 'tools_list_changed']) expect(await here.next()).toBe(uri)
    expect(there.heard).toEqual([...uris, 'tools_list_changed'])
    expect([...one.errors, ...two.errors]).toEqual([])
  })
})

describe('an event bus', () => {
  it('carries the parameters of an event', async () => {
    const next = await sharedStore('memory')
    const [one, two] = [await join(next()), await join(next())]
    const heard = new Promise<ServerEvent>((resolve) => two.subscribe(resolve))
    const event: ServerEvent = { kind: 'resource_updated', uri: 'test://\u0000\ud800', params: { title: 'é' } }
    one.publish(event)
    expect(await heard).toEqual(event)
  })

  it('tells a listener nothing that was published before, or after it has left', async () => {
    const next = await sharedStore('memory')
    const one = await join(next())
    one.publish(updated('before'))
    const witness = listen(await join(next()))
    const heard: string[] = []
    const leave = one.subscribe((event) => heard.push(textOf(event)))
    one.publish(updated('while'))
    leave()
    leave()
    one.publish(updated('after'))
    expect(heard).toEqual(['while'])
    while ((await witness.next()) !== 'after');
  })

  it('tells the others although a listener throws, and reports what it threw', async () => {
    const bus = await join(memoryBackend())
    bus.subscribe(() => {
      throw new Error('mine')
    })
    const { heard } = listen(bus)
    bus.publish(updated('a'))
    expect(heard).toEqual(['a'])
    expect(bus.errors).toEqual([new Error('mine')])
  })

  it('goes on although the function that it reports to throws', async () => {
    const warned = once(process, 'warning')
    const bus = await join(memoryBackend(), {
      onError() {
        throw new Error('deaf')
      },
    })
    bus.subscribe(() => {
      throw new Error('mine')
    })
    const { heard } = listen(bus)
    bus.publish(updated('a'))
    expect(heard).toEqual(['a'])
    expect(await warned).toEqual([new Error('deaf')])
  })

  it('takes what another version has stored for a gap', async () => {
    const next = await sharedStore('memory')
    const bus = await join(next())
    const { next: following } = listen(bus)
    const retention = { maxEvents: 9, maxAgeMs: 99_999, maxBytes: 9_999 }
    const sessions = await openSessions({ backend: next(), kind: '!bus', cleanupIntervalMs: 0 })
    onTestFinished(() => sessions.close())
    for (const [index, data] of ['not JSON', '{}'].entries()) {
      await sessions.events?.append('!bus_mcp', { key: `other.${index}`, stream: 'events', data }, retention)
    }
    for (const text of [...everything, ...everything]) expect(await following()).toBe(text)
    const other = await join(next())
    other.publish(updated('a'))
    expect(await following()).toBe('a')
  })

  it('does not echo to a listener that publishes while it listens', async () => {
    const bus = await join(memoryBackend())
    const answers: string[] = []
    bus.subscribe((event) => {
      answers.push(textOf(event))
      if (answers.length < 5) bus.publish(updated(`answer to ${textOf(event)}`))
    })
    const { heard } = listen(bus)
    bus.publish(updated('a'))
    expect(answers).toEqual(['a'])
    expect(heard).toEqual(['answer to a', 'a'])
  })

  it('does not hear a bus of another name', async () => {
    const next = await sharedStore('memory')
    const [one, two, other] = [await join(next()), await join(next()), await join(next(), { name: 'other' })]
    const [there, elsewhere] = [listen(two), listen(other)]
    one.publish(updated('a'))
    expect(await there.next()).toBe('a')
    const outsider = await join(next(), { name: 'other' })
    outsider.publish(updated('b'))
    expect(await elsewhere.next()).toBe('b')
    expect(elsewhere.heard).toEqual(['b'])
  })

  it('tells the others after an outage what was published in it, and reports one failure', async () => {
    const next = await sharedStore('memory')
    const { backend, outage } = unreliable(next())
    const [one, two] = [await join(backend), await join(next())]
    const there = listen(two)
    outage.append = true
    one.publish(updated('a'))
    one.publish(updated('a'))
    one.publish(updated('b'))
    while (outage.refused < 3) await new Promise((resolve) => setImmediate(resolve))
    outage.append = false
    expect([await there.next(), await there.next(), await there.next()]).toEqual(['a', 'a', 'b'])
    expect(one.errors).toHaveLength(1)
  })

  it('says that everything has changed where it was away for longer than events are kept', async () => {
    const next = await sharedStore('memory')
    const events = { maxEvents: 2 }
    const { backend, outage } = unreliable(next())
    const [one, two, witness] = [await join(next(), { events }), await join(backend, { events }), await join(next(), { events })]
    const [there, seen] = [listen(two), listen(witness)]
    outage.read = true
    for (const uri of ['a', 'b', 'c', 'd']) {
      one.publish(updated(uri))
      expect(await seen.next()).toBe(uri)
    }
    outage.read = false
    for (const text of [...everything, 'c', 'd']) expect(await there.next()).toBe(text)
    expect(two.errors.at(-1)).toMatchObject({ message: expect.stringContaining('has lost events of other nodes') })
    expect(witness.errors).toEqual([])
  })

  it('says so once where all that it has missed is too old', async () => {
    const next = await sharedStore('memory')
    const clock = { now: 1_000_000 }
    const now = () => clock.now
    const { backend, outage } = unreliable(next())
    const [one, two, witness] = [await join(next(), { now }), await join(backend, { now }), await join(next(), { now })]
    const [there, seen] = [listen(two), listen(witness)]
    outage.read = true
    one.publish(updated('old'))
    expect(await seen.next()).toBe('old')
    clock.now += 300_001
    outage.read = false
    for (const text of everything) expect(await there.next()).toBe(text)
    for (const uri of ['a', 'b']) {
      one.publish(updated(uri))
      expect(await seen.next()).toBe(uri)
      expect(await there.next()).toBe(uri)
    }
  })

  it('says that everything has changed where the log was deleted, and goes on in the next one', async () => {
    const next = await sharedStore('memory')
    const [one, two] = [await join(next()), await join(next())]
    const there = listen(two)
    one.publish(updated('a'))
    expect(await there.next()).toBe('a')
    const call = { now: Date.now(), deadlineAt: Number.POSITIVE_INFINITY }
    expect(await next().delete('!bus_mcp', undefined, call)).toBe(true)
    one.publish(updated('b'))
    for (const text of [...everything, 'b']) expect(await there.next()).toBe(text)
  })

  it('says that everything has changed where more was published at once than it keeps', async () => {
    const next = await sharedStore('memory')
    const [one, two] = [await join(next()), await join(next())]
    const there = listen(two)
    for (let index = 0; index <= 10_001; index += 1) one.publish(updated(`test://${index}`))
    expect(await there.next()).toBe('test://0')
    for (const text of [...everything, 'test://10001']) expect(await there.next()).toBe(text)
  })

  it('refuses an event that is too large, and tells nobody', async () => {
    const bus = await join(memoryBackend())
    const { heard } = listen(bus)
    expect(() => bus.publish(updated('x'.repeat(65_536)))).toThrow(RangeError)
    expect(heard).toEqual([])
  })

  it('stores what was published before it closes, and reports what comes after', async () => {
    const next = await sharedStore('sqlite')
    const [one, two] = [await join(next()), await join(next())]
    const there = listen(two)
    for (const uri of ['a', 'b', 'c']) one.publish(updated(uri))
    await one.close()
    expect([await there.next(), await there.next(), await there.next()]).toEqual(['a', 'b', 'c'])
    const { heard } = listen(one)
    one.publish(updated('late'))
    expect(heard).toEqual(['late'])
    expect(one.errors).toEqual([expect.objectContaining({ code: 'MCP_SESSION_CLOSED' })])
  })

  it('opens the backend, and closes it as the last one', async () => {
    const backend = memoryBackend()
    await using bus = await createEventBus(backend)
    await bus.close()
    await expect(backend.health({ now: 0, deadlineAt: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
  })

  it('leaves the backend closed where its signals cannot be heard', async () => {
    const backend = memoryBackend()
    const { signals } = backend
    const mute: SessionBackend = {
      ...backend,
      signals: { publish: async () => {}, ...signals, subscribe: () => Promise.reject(new Error('no')) },
    }
    await expect(createEventBus(mute)).rejects.toMatchObject({ code: 'MCP_SESSION_INTERNAL' })
    await expect(backend.health({ now: 0, deadlineAt: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'MCP_SESSION_CLOSED' })
  })

  it.each([
    [{ name: '' }, 'name must have 1 to 100 characters'],
    [{ name: 'a b' }, 'name must have 1 to 100 characters'],
    [{ pollIntervalMs: 0 }, 'pollIntervalMs must be a whole number from 4'],
    [{ pollIntervalMs: 2 ** 31 }, 'pollIntervalMs must be a whole number from 4'],
    [{ events: { maxBytes: 0.5 } }, 'events.maxBytes must be a whole number'],
    [{ pollMs: 5 }, 'no option pollMs'],
  ])('refuses %j', async (options, problem) => {
    await expect(createEventBus(memoryBackend(), options as EventBusOptions)).rejects.toThrow(problem)
  })
})
