import type { Harness } from '@mcp-session/conformance'
import { type Engine, startRedis } from '@mcp-session/test-engines'
import { Redis } from 'ioredis'
import { redisBackend } from '../src/index.ts'
import { driverErrors } from './conformance-errors.ts'
import { newPrefix, removePrefix } from './prefixes.ts'

/** One server for all stores; other processes, which only reopen, start none. */
let engine: Promise<Engine> | undefined

function started(): Promise<Engine> {
  engine ??= startRedis()
  return engine
}

export async function end(): Promise<void> {
  await (await engine)?.close()
}

export const harness: Harness = {
  async open() {
    const { url } = await started()
    const place = `${url} ${newPrefix()}`
    return { place, backend: reopen(place) }
  },
  reopen,
  async remove(place) {
    const [url = '', prefix = ''] = place.split(' ')
    const client = new Redis(url)
    await removePrefix([client], prefix)
    client.disconnect()
  },
  secondProcess: import.meta.url,
  async crash() {
    const server = await started()
    await server.kill()
    await server.start()
  },
  async borrow() {
    const client = new Redis((await started()).url)
    const prefix = newPrefix()
    return {
      backend: redisBackend({ client, prefix }),
      use: () => client.ping(),
      emitter: client,
      async close() {
        await removePrefix([client], prefix)
        client.disconnect()
      },
    }
  },
  errors: driverErrors,
}

function reopen(place: string) {
  const [url = '', prefix = ''] = place.split(' ')
  return redisBackend({ url, prefix })
}
