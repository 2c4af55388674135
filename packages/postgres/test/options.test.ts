import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { migratePostgres, type PostgresBackendOptions, postgresBackend } from '../src/index.ts'

const url = 'postgres://127.0.0.1:1/none'

describe('options', () => {
  it.each(['x"; drop table t; --', 'a\0b', 'x'.repeat(64), '', '1st', 'a b', 'a.b', 'é', 'pg_temp', 'information_schema', "a'b", 'a\nb'])(
    'refuse the schema %j before any statement',
    async (schema) => {
      expect(() => postgresBackend({ url, schema })).toThrow(TypeError)
      await expect(migratePostgres({ url, schema })).rejects.toThrow(TypeError)
    },
  )

  it('take a schema of 63 characters', () => {
    expect(postgresBackend({ url, schema: 'x'.repeat(63) }).info.name).toBe('postgres')
  })

  it.each([
    null,
    {},
    { url: 'mysql://127.0.0.1/x' },
    { url: 5 },
    { url, schema: 5 },
    { url, table: 'x"; drop table t; --' },
    { url, table: true },
    { url, synchronousCommit: 'on' },
    { url, migrate: 'no' },
    { url, preparedStatements: 1 },
    { url, listenUrl: '127.0.0.1' },
    { url, poolOptions: 5 },
    { url, pool: new pg.Pool() },
    { pool: {} },
    { pool: new pg.Pool(), poolOptions: {} },
  ])('refuse %j', (options) => {
    expect(() => postgresBackend(options as PostgresBackendOptions)).toThrow(TypeError)
  })

  it('never quote a url, which may hold a password', () => {
    for (const bad of ['mysql://u:hunter2@127.0.0.1/x', 'postgres:hunter2']) {
      expect(() => postgresBackend({ url: bad })).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }))
    }
  })
})
