import type { Contestant } from '../contestant.ts'

const besideMemory = { family: 'memory', beside: 'memory' } as const

export const memoryContestants: readonly Contestant[] = [
  {
    name: 'memory',
    family: 'memory',
    note: 'survives nothing; atomic update',
    async open() {
      const { memoryBackend } = await import('@mcp-session/memory')
      const { ourStore } = await import('../stores/our-store.ts')
      return ourStore(memoryBackend({ maxSessions: 10_000_000 }))
    },
  },
  {
    ...besideMemory,
    name: 'bare Map',
    note: 'floor: by reference, no lifetimes, a caller can corrupt it',
    async open() {
      const { mapStore } = await import('../stores/map-store.ts')
      return mapStore()
    },
  },
  {
    ...besideMemory,
    name: 'lru-cache',
    note: 'structuredClone each way; update is get + set',
    async open() {
      const { lruStore } = await import('../stores/lru-store.ts')
      return lruStore()
    },
  },
  {
    ...besideMemory,
    name: 'keyv',
    note: 'keyv 6 on a Map; update is get + set',
    async open() {
      const { keyvInMemory } = await import('../stores/keyv-store.ts')
      return keyvInMemory()
    },
  },
  {
    ...besideMemory,
    name: 'MemoryStore',
    note: 'of express-session; update is get + set',
    async open() {
      const { expressMemoryStore } = await import('../stores/express-stores.ts')
      return expressMemoryStore()
    },
  },
  {
    ...besideMemory,
    name: 'unstorage memory',
    note: 'no lifetimes; update is get + set',
    async open() {
      const [{ unstorageStore }, { default: driver }] = await Promise.all([
        import('../stores/unstorage-store.ts'),
        import('unstorage/drivers/memory'),
      ])
      return unstorageStore(driver())
    },
  },
]
