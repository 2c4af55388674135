import type { Call, ListPage, ListQuery, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { alteredBackend } from '../../src/altered-backend.ts'
import { nextTurn } from '../../src/eventually.ts'
import { type Plant, remembered } from './plant.ts'

export const listingPlants: readonly Plant[] = [
  {
    id: 'list/pages-by-offset',
    law: 'list/complete',
    plant: (backend) =>
      alteredBackend(backend, {
        async list({ cursor = 'o0', limit, ...query }, call) {
          if (!/^o\d+$/.test(cursor)) throw new TypeError('not a cursor')
          const all = await everything(backend, query, call)
          const end = Number(cursor.slice(1)) + limit
          const records = all.slice(end - limit, end)
          return end < all.length ? { records, cursor: `o${end}` } : { records }
        },
      }),
  },
  {
    id: 'list/drops-the-last-of-a-full-page',
    law: 'list/complete',
    plant: (backend) =>
      alteredBackend(backend, {
        async list(query, call) {
          const page = await backend.list(query, call)
          return page.cursor !== undefined && page.records.length > 1 ? { ...page, records: page.records.slice(0, -1) } : page
        },
      }),
  },
  {
    id: 'list/ends-after-the-first-page',
    law: 'list/complete',
    plant: (backend) => alteredBackend(backend, { list: async (query, call) => ({ records: (await backend.list(query, call)).records }) }),
  },
  {
    id: 'list/skips-what-was-rewritten-meanwhile',
    law: 'list/complete',
    plant(backend, engine) {
      const written = remembered(engine, 'written', () => new Map<string, number>())
      let writes = 0
      return alteredBackend(backend, {
        create(record, call) {
          writes += 1
          written.set(record.id, writes)
          return backend.create(record, call)
        },
        replace(record, rev, call) {
          writes += 1
          written.set(record.id, writes)
          return backend.replace(record, rev, call)
        },
        // A snapshot by number of write that is not one: what is rewritten after the first page is missing in the others.
        async list(query, call) {
          const [position, upTo = String(writes)] = query.cursor?.split('~') ?? []
          const page = await backend.list({ ...query, ...(position === undefined ? {} : { cursor: position }) }, call)
          const records = page.records.filter(({ id }) => (written.get(id) ?? 0) <= Number(upTo))
          return page.cursor === undefined ? { records } : { records, cursor: `${page.cursor}~${upTo}` }
        },
      })
    },
  },
  {
    id: 'list/owner-with-wildcards',
    law: 'list/filters',
    plant: (backend) =>
      alteredBackend(backend, {
        async list({ owner, ...query }, call) {
          if (owner === undefined) return backend.list(query, call)
          const pattern = new RegExp(
            `^${owner
              .replace(/[^\w%]/gu, '.')
              .replaceAll('%', '.*')
              .replaceAll('_', '.')}$`,
            'su',
          )
          return filtered(backend, query, call, (record) => record.owner !== null && pattern.test(record.owner))
        },
      }),
  },
  {
    id: 'list/owner-without-case',
    law: 'list/filters',
    plant: (backend) =>
      alteredBackend(backend, {
        list: async ({ owner, ...query }, call) =>
          owner === undefined
            ? backend.list(query, call)
            : filtered(backend, query, call, (record) => record.owner?.toLowerCase() === owner.toLowerCase()),
      }),
  },
  {
    id: 'list/prefix-without-case',
    law: 'list/filters',
    plant: (backend) =>
      alteredBackend(backend, {
        list: async ({ prefix, ...query }, call) =>
          prefix === undefined
            ? backend.list(query, call)
            : filtered(backend, query, call, (record) => record.id.toLowerCase().startsWith(prefix.toLowerCase())),
      }),
  },
  {
    id: 'list/prefix-with-a-star-for-anything',
    law: 'list/filters',
    plant: (backend) =>
      alteredBackend(backend, {
        list: async ({ prefix, ...query }, call) => {
          if (prefix === undefined || !prefix.includes('*'))
            return backend.list({ ...query, ...(prefix === undefined ? {} : { prefix }) }, call)
          const [start = ''] = prefix.split('*')
          return filtered(backend, query, call, (record) => record.id.startsWith(start))
        },
      }),
  },
  {
    id: 'list/owner-forgets-the-prefix',
    law: 'list/filters',
    plant: (backend) =>
      alteredBackend(backend, {
        list: ({ prefix, ...query }, call) =>
          backend.list(query.owner === undefined && prefix !== undefined ? { ...query, prefix } : query, call),
      }),
  },
  {
    id: 'list/shows-the-dead-of-an-owner',
    law: 'list/filters',
    plant: (backend) =>
      alteredBackend(backend, { list: (query, call) => backend.list(query, query.owner === undefined ? call : { ...call, now: 1 }) }),
  },
  {
    id: 'list/one-more-than-limit',
    law: 'list/pages',
    plant: (backend) => alteredBackend(backend, { list: (query, call) => backend.list({ ...query, limit: query.limit + 1 }, call) }),
  },
  {
    id: 'list/pages-without-end-of-bytes',
    law: 'list/pages',
    plant: (backend) =>
      alteredBackend(backend, {
        async list({ cursor, limit, ...query }, call) {
          const first = await backend.list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) }, call)
          const records = [...first.records]
          let next = first.cursor
          while (next !== undefined && records.length < limit) {
            const page: ListPage = await backend.list({ ...query, limit: limit - records.length, cursor: next }, call)
            records.push(...page.records)
            next = page.cursor
          }
          return next === undefined ? { records } : { records, cursor: next }
        },
      }),
  },
  {
    id: 'list/headers-with-data',
    law: 'list/headers',
    plant: (backend) => alteredBackend(backend, { list: ({ data: _, ...query }, call) => backend.list(query, call) }),
  },
  {
    id: 'list/headers-without-the-absolute-end',
    law: 'list/headers',
    plant: (backend) =>
      alteredBackend(backend, {
        async list(query, call) {
          const page = await backend.list(query, call)
          if (query.data !== false) return page
          return { ...page, records: page.records.map((record) => ({ ...record, mustEndAt: Number.POSITIVE_INFINITY })) }
        },
      }),
  },
  {
    id: 'list/a-foreign-cursor-starts-over',
    law: 'list/cursor',
    plant: (backend) =>
      alteredBackend(backend, {
        async list({ cursor, ...query }, call) {
          try {
            return await backend.list({ ...query, ...(cursor === undefined ? {} : { cursor }) }, call)
          } catch {
            return backend.list(query, call)
          }
        },
      }),
  },
  {
    id: 'list/a-foreign-cursor-is-an-empty-page',
    law: 'list/cursor',
    plant: (backend) =>
      alteredBackend(backend, {
        list: (query, call) =>
          backend.list(query, call).catch((error: unknown) => (error instanceof TypeError ? { records: [] } : Promise.reject(error))),
      }),
  },
  {
    id: 'list/the-cursor-is-the-last-id',
    law: 'list/cursor',
    plant: (backend) =>
      alteredBackend(backend, {
        async list(query, call) {
          const inner = query.cursor === undefined ? undefined : Buffer.from(query.cursor, 'base64url').toString().split('\n')[1]
          if (
            query.cursor !== undefined &&
            (inner === undefined || Buffer.from(query.cursor, 'base64url').toString('base64url') !== query.cursor)
          ) {
            throw new TypeError('not a cursor')
          }
          const page = await backend.list({ ...query, ...(inner === undefined ? {} : { cursor: inner }) }, call)
          if (page.cursor === undefined) return page
          return { ...page, cursor: Buffer.from(`${page.records.at(-1)?.id}\n${page.cursor}`).toString('base64url') }
        },
      }),
  },
  {
    id: 'list/cursors-are-known-to-one-node-only',
    law: 'list/cursor',
    plant(backend) {
      const issued = new Set<string>()
      return alteredBackend(backend, {
        async list(query, call) {
          if (query.cursor !== undefined && !issued.has(query.cursor)) throw new TypeError('not a cursor of this node')
          const page = await backend.list(query, call)
          if (page.cursor !== undefined) issued.add(page.cursor)
          return page
        },
      })
    },
  },
  {
    id: 'list/an-owner-walks-through-all',
    law: 'list/owner-cost',
    plant: (backend) =>
      alteredBackend(backend, {
        list: ({ owner, ...query }, call) =>
          owner === undefined ? backend.list(query, call) : filtered(backend, query, call, (record) => record.owner === owner),
      }),
  },
  {
    id: 'list/the-owner-index-comes-after-the-record',
    law: 'list/owner-cost',
    plant(backend, engine) {
      const indexed = remembered(engine, 'indexed', () => new Set<string>())
      return alteredBackend(backend, {
        async create(record, call) {
          const created = await backend.create(record, call)
          for (let turns = 0; turns < 3; turns += 1) await nextTurn()
          indexed.add(record.id)
          return created
        },
        async list(query, call) {
          const page = await backend.list(query, call)
          return query.owner === undefined ? page : { ...page, records: page.records.filter(({ id }) => indexed.has(id)) }
        },
      })
    },
  },
  {
    id: 'list/the-owner-index-misses-a-replace',
    law: 'list/owner-cost',
    plant(backend, engine) {
      const owners = remembered(engine, 'owners', () => new Map<string, string | null>())
      return alteredBackend(backend, {
        async create(record, call) {
          const created = await backend.create(record, call)
          if (created) owners.set(record.id, record.owner)
          return created
        },
        async list(query, call) {
          const page = await backend.list(query, call)
          return query.owner === undefined ? page : { ...page, records: page.records.filter(({ id }) => owners.get(id) === query.owner) }
        },
      })
    },
  },
]

/** Looks at `limit` records at a time, and shows those that fit. */
async function filtered(
  backend: SessionBackend,
  query: Omit<ListQuery, 'owner'>,
  call: Call,
  fits: (record: SessionRecord) => boolean,
): Promise<ListPage> {
  const page = await backend.list(query, call)
  return { ...page, records: page.records.filter(fits) }
}

async function everything(backend: SessionBackend, query: Omit<ListQuery, 'limit' | 'cursor'>, call: Call): Promise<SessionRecord[]> {
  const records: SessionRecord[] = []
  let cursor: string | undefined
  do {
    const page: ListPage = await backend.list({ ...query, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) }, call)
    records.push(...page.records)
    cursor = page.cursor
  } while (cursor !== undefined)
  return records
}
