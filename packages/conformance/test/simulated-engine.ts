import { EventEmitter } from 'node:events'
import { type BackendInfo, type Call, lifecycle, type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { memoryBackend } from '../../memory/src/index.ts'
import { nextTurn } from '../src/eventually.ts'
import type { DriverError, Harness } from '../src/harness.ts'

/** What a planted bug may need of the engine under its backend. */
export interface Engine {
  /** How often it has crashed: what was not written before is lost. */
  crashes(): number
  /** The driver's client: given, where the backend borrows it. */
  readonly client: EventEmitter
  /** The same for all nodes of one store: where a bug hides what must not be shared, or keeps what should be gone. */
  readonly shared: Map<string, unknown>
}

interface Place {
  readonly memory: SessionBackend
  readonly shared: Map<string, unknown>
  crashes: number
  readonly gaps: Set<() => void>
}

class EngineGone extends Error {
  override readonly name = 'EngineGone'
  readonly code = 'ECONNRESET'

  constructor() {
    super('the simulated engine is gone')
  }
}

const info: BackendInfo = { name: 'simulated', contract: 1, sharing: 'cluster', durability: 'engine', expiry: 'swept' }

/**
 * A correct backend with all that a harness can have: memory behind calls that take a turn of the loop, several nodes on one store, crashes, a
 * clock of the engine, a client to borrow. `plant` puts a bug into each node.
 */
export function simulatedEngine(plant: (backend: SessionBackend, engine: Engine) => SessionBackend = (backend) => backend): Harness {
  const places = new Map<string, Place>()
  let made = 0

  function placeAt(name: string): Place {
    const known = places.get(name)
    if (known !== undefined) return known
    const place = { memory: memoryBackend(), shared: new Map(), crashes: 0, gaps: new Set<() => void>() }
    places.set(name, place)
    return place
  }

  function nodeAt(name: string, client: EventEmitter = new EventEmitter()): SessionBackend {
    const place = placeAt(name)
    return plant(node(place, client), { client, shared: place.shared, crashes: () => place.crashes })
  }

  function newPlace(): string {
    made += 1
    return `place ${made}`
  }

  return {
    open() {
      const place = newPlace()
      return { place, backend: nodeAt(place) }
    },
    reopen: (place) => nodeAt(place),
    remove: (place) => void places.delete(place),
    async crash(name) {
      const place = placeAt(name)
      place.crashes += 1
      await nextTurn()
      for (const gap of place.gaps) gap()
    },
    borrow() {
      const client = new EventEmitter()
      return {
        backend: nodeAt(newPlace(), client),
        emitter: client,
        use: () => {
          if (client.listenerCount('closed') > 0) throw new Error('the borrowed client is closed')
        },
        close: () => {},
      }
    },
    errors: newErrors(),
  }
}

function newErrors(): DriverError[] {
  return [
    { name: 'ECONNRESET', error: new EngineGone(), expected: { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' } },
    {
      name: 'EFULL',
      error: Object.assign(new Error('no room'), { code: 'EFULL' }),
      expected: { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' },
    },
    { name: 'some other error', error: Object.assign(new Error('x'), { code: 'EOTHER' }), expected: undefined },
  ]
}

function node(place: Place, client: EventEmitter): SessionBackend {
  const { memory } = place
  const stops = new Set<() => Promise<void>>()
  const inFlight = new Set<Promise<unknown>>()
  const onError = (): void => {}
  const life = lifecycle({
    async open() {
      await memory.open()
      client.on('error', onError)
    },
    async close() {
      await Promise.allSettled(inFlight)
      await Promise.all([...stops].map((stop) => stop()))
      client.off('error', onError)
    },
  })

  function sent<T>(call: Call, run: () => Promise<T>): Promise<T> {
    const call1 = admitted(call, run)
    inFlight.add(call1)
    return call1.finally(() => inFlight.delete(call1))
  }

  async function admitted<T>(call: Call, run: () => Promise<T>): Promise<T> {
    if (!life.isOpen()) throw new SessionError('MCP_SESSION_CLOSED', 'the simulated backend is not open')
    call.signal?.throwIfAborted()
    if (call.deadlineAt <= performance.now()) throw new SessionError('MCP_SESSION_TIMEOUT', 'not sent', { retryable: true })
    const crashes = place.crashes
    await nextTurn()
    if (place.crashes !== crashes) throw new EngineGone()
    return run()
  }

  const { events, signals } = memory
  if (events === undefined || signals === undefined) throw new Error('memory has both')

  return {
    info,
    open: life.open,
    create: (record, call) => sent(call, () => memory.create(record, call)),
    get: (id, call) => sent(call, () => memory.get(id, call)),
    replace: (record, expectedRev, call) => sent(call, () => memory.replace(record, expectedRev, call)),
    touch: (touch, call) => sent(call, () => memory.touch(touch, call)),
    delete: (id, expectedRev, call) => sent(call, () => memory.delete(id, expectedRev, call)),
    list: (query, call) => sent(call, () => memory.list(query, call)),
    deleteExpired: (limit, call) => sent(call, () => memory.deleteExpired(limit, { ...call, now: Math.min(call.now, Date.now()) })),
    health: (call) => sent(call, async () => ({ engineNow: Date.now(), warnings: [] })),
    close: life.close,
    classify(error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'ECONNRESET') return { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' }
      return code === 'EFULL' ? { code: 'MCP_SESSION_LIMIT', retryable: false, outcome: 'none' } : undefined
    },
    events: {
      append: (id, event, retention, call) => sent(call, () => events.append(id, event, retention, call)),
      read: (id, query, call) => sent(call, () => events.read(id, query, call)),
      restore: (id, page, call) => sent(call, () => events.restore(id, page, call)),
    },
    signals: {
      publish: (channel, message, call) => sent(call, () => signals.publish(channel, message, call)),
      async subscribe(channel, listener) {
        if (!life.isOpen()) throw new SessionError('MCP_SESSION_CLOSED', 'the simulated backend is not open')
        const unsubscribe = await signals.subscribe(channel, listener)
        const gap = (): void => listener(undefined)
        place.gaps.add(gap)
        const stop = async (): Promise<void> => {
          place.gaps.delete(gap)
          stops.delete(stop)
          await unsubscribe()
        }
        stops.add(stop)
        return stop
      },
    },
  }
}
