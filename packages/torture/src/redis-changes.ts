import type { Engine } from '@mcp-session/test-engines'
import { Redis } from 'ioredis'
import { flippedBytes } from './bit-changes.ts'
import { redisPrefix } from './redis-store.ts'
import type { Change, RotSite } from './rot-site.ts'

/** The keys of a store, read and written by connections of the harness's own, straight to each server. */
export async function redisChanges(engines: readonly Engine[]): Promise<RotSite> {
  const clients: Redis[] = []
  for (const { port } of engines) {
    const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true })
    clients.push(client)
    await client.connect()
  }
  return {
    async changes() {
      const all: Change[] = []
      for (const client of clients) {
        const keys = (await client.keys(`${redisPrefix}:*`)).toSorted()
        for (const key of keys) all.push(...(await changesOf(client, key, keys)))
      }
      return all
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect()
    },
  }
}

type Make = () => Promise<unknown>

/** Every bit of everything under a key, by the type of its value; and the value of each other key of its sort instead. */
async function changesOf(client: Redis, key: string, keys: readonly string[]): Promise<readonly Change[]> {
  const type = await client.type(key)
  const dump = await client.dumpBuffer(key)
  const put = (bytes: Buffer) => client.call('RESTORE', key, '0', bytes, 'REPLACE')
  const changes: Change[] = []
  const add = (what: string, make: Make) => {
    changes.push({
      what: `${what} of the ${type} ${key}`,
      async make() {
        await make()
        return true
      },
      undo: async () => void (await put(dump)),
    })
  }
  const read = readers[type]
  if (read === undefined) throw new Error(`${key} is a ${type}, which this harness cannot change`)
  for (const { what, make } of await read(client, key)) add(what, make)
  add('nothing instead', () => client.del(key))
  const sort = sortOf(key)
  for (const other of keys.filter((one) => one !== key && sortOf(one) === sort)) {
    const bytes = await client.dumpBuffer(other)
    add(`the value of ${other} instead`, () => put(bytes))
  }
  return changes
}

/** What comes after the part in braces. */
function sortOf(key: string): string {
  return key.slice(key.indexOf('}'))
}

interface Part {
  readonly what: string
  readonly make: Make
}

const readers: Readonly<Record<string, (client: Redis, key: string) => Promise<readonly Part[]>>> = {
  async string(client, key) {
    const value = (await client.getBuffer(key)) ?? Buffer.alloc(0)
    return flips(value, 'its bytes', (bytes) => client.set(key, bytes))
  },
  async hash(client, key) {
    const fields = Object.entries(await client.hgetallBuffer(key))
    return fields.flatMap(([field, value]) => [
      ...flips(value, `its field ${field}`, (bytes) => client.hset(key, field, bytes)),
      ...flips(Buffer.from(field), `the name of its field ${field}`, async (bytes) => {
        await client.hdel(key, field)
        await client.hset(key, new Map([[bytes, value]]))
      }),
    ])
  },
  async zset(client, key) {
    const flat = await client.zrangeBuffer(key, '0', '-1', 'WITHSCORES')
    const members = Array.from({ length: flat.length / 2 }, (_, n) => ({ member: flat[2 * n], score: String(flat[2 * n + 1]) }))
    return members.flatMap(({ member = Buffer.alloc(0), score }, n) => [
      ...flips(member, `member ${n}`, async (bytes) => {
        await client.zrem(key, member)
        await client.call('ZADD', key, score, bytes)
      }),
      ...flippedScores(Number(score)).map(({ bit, value }) => ({
        what: `bit ${bit} of the score of member ${n}`,
        make: () => client.call('ZADD', key, value, member),
      })),
    ])
  },
  async list(client, key) {
    const values = await client.lrangeBuffer(key, 0, -1)
    return values.flatMap((value, n) => flips(value, `element ${n}`, (bytes) => client.lset(key, n, bytes)))
  },
  async set(client, key) {
    const members = await client.smembersBuffer(key)
    return members.flatMap((member, n) =>
      flips(member, `member ${n}`, async (bytes) => {
        await client.srem(key, member)
        await client.sadd(key, bytes)
      }),
    )
  },
}

function flips(value: Buffer, where: string, put: (bytes: Buffer) => Promise<unknown>): Part[] {
  return [...flippedBytes(value)].map(({ bit, bytes }) => ({ what: `bit ${bit} of ${where}`, make: () => put(bytes) }))
}

function flippedScores(score: number): { readonly bit: number; readonly value: string }[] {
  const double = Buffer.alloc(8)
  double.writeDoubleBE(score)
  return [...flippedBytes(double)].flatMap(({ bit, bytes }) => {
    const value = bytes.readDoubleBE()
    return Number.isNaN(value) ? [] : [{ bit, value: Number.isFinite(value) ? String(value) : value > 0 ? '+inf' : '-inf' }]
  })
}
