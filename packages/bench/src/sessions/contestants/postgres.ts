import type { Contestant } from '../contestant.ts'
import type { Place } from '../store.ts'

const besidePostgres = { family: 'postgres', beside: 'postgres', engine: 'postgres' } as const

export const postgresContestants: readonly Contestant[] = [
  {
    name: 'postgres',
    family: 'postgres',
    engine: 'postgres',
    note: 'survives power loss; named statements; atomic update',
    open: (place) => openOurs(place, 'logged'),
  },
  {
    name: 'postgres unlogged',
    family: 'postgres',
    engine: 'postgres',
    note: 'survives the process; named statements; atomic update',
    open: (place) => openOurs(place, 'unlogged'),
  },
  {
    ...besidePostgres,
    name: 'pg',
    note: 'survives power loss; pool of 10, a named statement per step; update is get + set',
    async open({ url, namespace }) {
      const { pgStore } = await import('../stores/postgres-stores.ts')
      return pgStore(url, namespace)
    },
  },
  {
    ...besidePostgres,
    name: 'pgbench',
    note: 'floor: a client in C, one prepared statement per call',
    ops: ['retrieve', 'create'],
    async measure(place, cell, seconds) {
      const { pgbench } = await import('../stores/pgbench.ts')
      return pgbench(place, cell, seconds)
    },
  },
  {
    ...besidePostgres,
    name: 'postgres.js',
    note: 'survives power loss; 10 connections, pipelined; update is get + set',
    async open({ url, namespace }) {
      const { postgresJsStore } = await import('../stores/postgres-js-store.ts')
      return postgresJsStore(url, namespace)
    },
  },
  {
    ...besidePostgres,
    name: 'connect-pg-simple',
    note: 'survives power loss; of express-session, on a pool of 10; update is get + set',
    async open({ url, namespace }) {
      const { connectPgStore } = await import('../stores/postgres-stores.ts')
      return connectPgStore(url, namespace)
    },
  },
  {
    ...besidePostgres,
    name: '@keyv/postgres',
    note: 'survives power loss; on a pool of 10; update is get + set',
    async open({ url, namespace }) {
      const { keyvOnPostgres } = await import('../stores/keyv-store.ts')
      return keyvOnPostgres(url, namespace)
    },
  },
]

async function openOurs({ url, namespace }: Place, table: 'logged' | 'unlogged') {
  const [{ postgresBackend }, { ourStore }, { removeSchema }] = await Promise.all([
    import('@mcp-session/postgres'),
    import('../stores/our-store.ts'),
    import('../stores/postgres-stores.ts'),
  ])
  return ourStore(postgresBackend({ url, schema: namespace, table, preparedStatements: true }), () => removeSchema(url, namespace))
}
