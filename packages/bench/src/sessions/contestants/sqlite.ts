import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'

export const sqliteContestants: readonly Contestant[] = [
  {
    name: 'sqlite',
    family: 'sqlite',
    note: 'survives power loss; atomic update',
    open: ({ folder }) => openOurs(folder, true),
  },
  {
    name: 'sqlite relaxed',
    family: 'sqlite',
    note: 'survives the process; atomic update',
    open: ({ folder }) => openOurs(folder, false),
  },
  {
    name: 'better-sqlite3 FULL',
    family: 'sqlite',
    beside: 'sqlite',
    note: 'survives power loss; a statement per call; update is get + set',
    async open({ folder }) {
      const { betterSqlite3Store } = await import('../stores/better-sqlite3-store.ts')
      return betterSqlite3Store(folder, 'FULL')
    },
  },
  {
    name: 'better-sqlite3 NORMAL',
    family: 'sqlite',
    beside: 'sqlite relaxed',
    note: 'survives the process; a statement per call; update is get + set',
    async open({ folder }) {
      const { betterSqlite3Store } = await import('../stores/better-sqlite3-store.ts')
      return betterSqlite3Store(folder, 'NORMAL')
    },
  },
  {
    name: 'insert in one transaction',
    family: 'sqlite',
    beside: 'sqlite relaxed',
    note: 'floor: better-sqlite3, committed at the very end',
    ops: ['create'],
    async open({ folder }) {
      const { oneTransactionStore } = await import('../stores/better-sqlite3-store.ts')
      return oneTransactionStore(folder)
    },
  },
  {
    name: '@keyv/sqlite 4',
    family: 'sqlite',
    beside: 'sqlite relaxed',
    note: 'survives the process; WAL, NORMAL; update is get + set',
    async open({ folder }) {
      const { keyvOnSqlite4 } = await import('../stores/keyv-store.ts')
      return keyvOnSqlite4(folder)
    },
  },
  {
    name: '@keyv/sqlite 6 beta',
    family: 'sqlite',
    beside: 'sqlite relaxed',
    note: 'survives the process; WAL, NORMAL; update is get + set',
    async open({ folder }) {
      const { keyvOnSqlite6 } = await import('../stores/keyv-store.ts')
      return keyvOnSqlite6(folder)
    },
  },
]

async function openOurs(folder: string, durable: boolean) {
  const [{ sqliteBackend }, { ourStore }] = await Promise.all([import('@mcp-session/sqlite'), import('../stores/our-store.ts')])
  return ourStore(sqliteBackend({ path: join(folder, 'sessions.db'), durable }))
}
