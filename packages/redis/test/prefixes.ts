import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

/** Of a store that nobody else uses. */
export function newPrefix(): string {
  return `test:${randomUUID()}`
}

/** Removes what a store has left on those servers. */
export async function removePrefix(servers: readonly Redis[], prefix: string): Promise<void> {
  for (const server of servers) {
    for await (const keys of server.scanStream({ match: `${prefix}:{*`, count: 1_000 })) {
      for (const key of keys as string[]) await server.unlink(key)
    }
  }
}
