import { describe, expect, it } from 'vitest'
import { abandoned } from '../src/abandoned.ts'
import { type Inventory, leftovers } from '../src/abandoned-inventory.ts'
import { plantNames } from '../src/abandoned-plants.ts'
import type { Outcome } from '../src/harness.ts'
import { seededRandom } from '../src/random.ts'
import { torture } from './command.ts'

/** What a run finds, and its figures. */
async function abandon(tries: number, plant?: string): Promise<Outcome & { readonly bad: readonly string[] }> {
  const bad: string[] = []
  const outcome = await abandoned(plant).run({
    backend: 'sqlite',
    variant: 'v1+v2',
    seed: 1,
    random: seededRandom(1),
    tries,
    isOver: () => false,
    progress() {},
    bad: (what) => bad.push(what),
  })
  return { ...outcome, bad }
}

describe('clients that vanish', { timeout: 300_000 }, () => {
  it('leave nothing on sqlite once their sessions have expired, and little before', async () => {
    const { tried, bad, measured } = await abandon(3_000)
    expect(bad).toEqual([])
    expect(tried).toBe(3_000)
    expect(measured).toMatchObject({ sessions: 3_015, servers: 3_015 + 2_010 })
  })

  it.each(['memory', 'redis', 'postgres'])('leave nothing on %s, and the command line says so', async (backend) => {
    const { code, lines } = await torture(['abandoned', '--backend', backend, '--tries', '200'])
    expect(lines).toEqual([expect.objectContaining({ name: 'abandoned', backend, tried: 200, bad: 0, sessions: 201 })])
    expect(code).toBe(0)
  })
})

const found: Readonly<Record<string, { readonly tries: number; readonly what: RegExp }>> = {
  server: { tries: 100, what: /of \d+ servers have not closed/ },
  map: { tries: 200, what: /the heap has grown from/ },
  listener: { tries: 100, what: /\d+ listeners are there, \d+ were/ },
  timer: { tries: 100, what: /\d+ timers are pending, \d+ were/ },
  stream: { tries: 100, what: /\d+ responses to clients that have vanished are open/ },
  record: { tries: 100, what: /202 records of kind note are in the store/ },
  dormant: { tries: 1_000, what: /a dormant session takes [4-9]\d{3} bytes/ },
  unknown: { tries: 100, what: /300 servers were made for unknown ids/ },
}

// They mostly wait: for servers to close, and for what a leak keeps open.
describe('a leak is found', { timeout: 300_000, concurrent: true }, () => {
  it.each(plantNames)('of the kind %s', async (plant) => {
    const { tries, what } = found[plant] ?? { tries: 0, what: /$^/ }
    const { bad } = await abandon(tries, plant)
    expect(bad).toContainEqual(expect.stringMatching(what))
  })
})

describe('what is left', () => {
  const start: Inventory = {
    heapBytes: 30e6,
    externalBytes: 0,
    madeServers: 10,
    liveServers: 0,
    timers: 2,
    listeners: 5,
    streams: 0,
    sockets: 0,
    resources: { TCPServerWrap: 1 },
    records: {},
  }

  it('is nothing where all is as before, but for garbage of 3 MB and the heartbeat of a node', () => {
    expect(leftovers(start, { ...start, madeServers: 20, heapBytes: 33e6, records: { '!node': 1 } })).toEqual([])
    expect(leftovers({ ...start, heapBytes: 200e6 }, { ...start, heapBytes: 209e6 })).toEqual([])
  })

  it.each<[Partial<Inventory>, string]>([
    [{ heapBytes: 34e6 }, 'the heap has grown from 28.6 MB to 32.4 MB'],
    [{ liveServers: 1 }, '1 of 10 servers have not closed'],
    [{ streams: 2 }, '2 responses are open'],
    [{ sockets: 3 }, '3 sockets are open'],
    [{ timers: 6 }, '6 timers are pending, 2 were'],
    [{ listeners: 6 }, '6 listeners are there, 5 were'],
    [{ resources: { TCPServerWrap: 2 } }, '2 resources of type TCPServerWrap are active, at most 1 were expected'],
    [{ resources: { TCPServerWrap: 1, TCPSocketWrap: 17 } }, '17 resources of type TCPSocketWrap are active, at most 16 were expected'],
    [{ records: { s: 1 } }, '1 records of kind s are in the store'],
    [{ records: { '!node': 2 } }, '2 records of kind !node are in the store'],
  ])('is told of %j', (changes, what) => {
    expect(leftovers(start, { ...start, ...changes })).toEqual([what])
  })
})
