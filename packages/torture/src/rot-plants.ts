import { crc32 } from 'node:zlib'
import type { SessionRecord } from '@mcp-session/core/backend'
import type { Bug } from './planted-backend.ts'

/** Bugs that the harness `rot` must find: whatever comes from the engine is taken for what was written. */
export const rotBugs: Readonly<Record<string, Bug>> = {
  unchecked: (backend) => ({
    async get(id, call) {
      const record = await backend.get(id, call)
      return record && { ...record, data: sealedAnew(record) }
    },
  }),
  'unchecked-events'({ events }) {
    if (events === undefined) return {}
    return {
      events: {
        ...events,
        async read(id, query, call) {
          const page = await events.read(id, query, call)
          if (page === undefined) return undefined
          return {
            ...page,
            events: page.events.map((event) => {
              const data = event.data.slice(9)
              return { ...event, data: `1${hex(crc32(data, crc32(`${id}\n${event.key}\n${event.stream}\n`)))}${data}` }
            }),
          }
        },
      },
    }
  },
}

/** Data with the checksum that fits, in the format of the store. */
function sealedAnew({ id, rev, prevRev, createdAt, ttlMs, mustEndAt, owner, data }: SessionRecord): string {
  const body = data.slice(9)
  const fields = `${id}\n${rev}\n${prevRev ?? ''}\n${createdAt}\n${ttlMs}\n${mustEndAt}\n${owner === null ? '' : `=${owner}`}\n`
  return `1${hex(crc32(body, crc32(fields)))}${body}`
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0')
}
