import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { migratePostgres, postgresBackend } from '../src/index.ts'
import { call, engineOfFile, failure, newRecord, newSchema, opened, rawClient, sql } from './fixtures.ts'

const server = engineOfFile()

describe('open', () => {
  it('makes the tables once when eight nodes open at the same time', async () => {
    const { url } = server
    const schema = newSchema(url)
    const nodes = await Promise.all(Array.from({ length: 8 }, () => opened({ url, schema })))
    const record = newRecord()
    expect(await nodes[0]?.create(record, call())).toBe(true)
    for (const node of nodes) expect(await node.get(record.id, call())).toEqual(record)
    expect(await sql(url, `SELECT version FROM ${schema}.mcp_session_version`)).toEqual([[3]])
  })

  it('brings a store of version 1 up to date, with all that it holds', async () => {
    const { url } = server
    const schema = newSchema(url)
    const [before, record] = [postgresBackend({ url, schema }), newRecord()]
    await before.open()
    await before.create(record, call())
    await before.close()
    await sql(url, `DROP FUNCTION ${schema}.mcp_session_get, ${schema}.mcp_session_sweep`)
    await sql(url, `UPDATE ${schema}.mcp_session_version SET version = 1`)
    const backend = await opened({ url, schema })
    const others = [newRecord(), newRecord()]
    for (const other of others) expect(await backend.create(other, call())).toBe(true)
    const answers = [record, ...others].map((known) => backend.get(known.id, call(), known))
    expect(await Promise.all(answers)).toEqual([record, ...others])
    expect(await backend.deleteExpired(100, call())).toBe(0)
    expect(await sql(url, `SELECT version FROM ${schema}.mcp_session_version`)).toEqual([[3]])
  })

  it('refuses tables of a newer version and leaves them as they are', async () => {
    const { url } = server
    const schema = newSchema(url)
    await migratePostgres({ url, schema })
    await sql(url, `UPDATE ${schema}.mcp_session_version SET version = 99`)
    await failure(postgresBackend({ url, schema }).open(), 'MCP_SESSION_SCHEMA')
    expect(await sql(url, `SELECT version FROM ${schema}.mcp_session_version`)).toEqual([[99]])
  })

  it.each(['mcp_session', 'mcp_session_event', 'mcp_session_log', 'mcp_session_trim'])(
    'refuses a table %s of somebody else, and changes nothing',
    async (table) => {
      const { url } = server
      const schema = newSchema(url)
      await sql(url, `CREATE SCHEMA ${schema}`)
      await sql(url, `CREATE TABLE ${schema}.${table} (x integer)`)
      await failure(postgresBackend({ url, schema }).open(), 'MCP_SESSION_SCHEMA')
      expect(await sql(url, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1`, [schema])).toEqual([[table]])
    },
  )

  it('refuses tables of the other sort', async () => {
    const { url } = server
    const schema = newSchema(url)
    await migratePostgres({ url, schema, table: 'unlogged' })
    await failure(postgresBackend({ url, schema }).open(), 'MCP_SESSION_SCHEMA')
    expect((await opened({ url, schema, table: 'unlogged' })).info.durability).toBe('caller')
  })

  it('makes nothing with migrate: false, and opens what migratePostgres has made', async () => {
    const { url } = server
    const schema = newSchema(url)
    await failure(postgresBackend({ url, schema, migrate: false }).open(), 'MCP_SESSION_SCHEMA')
    expect(await sql(url, 'SELECT to_regnamespace($1)::text', [schema])).toEqual([[null]])
    await migratePostgres({ url, schema })
    await migratePostgres({ url, schema })
    const backend = await opened({ url, schema, migrate: false })
    expect(await backend.create(newRecord(), call())).toBe(true)
  })

  it('serves a user with the rights that the README gives, and no others', async () => {
    const { url } = server
    const schema = newSchema(url)
    const user = `u_${schema}`
    await migratePostgres({ url, schema })
    await sql(url, `CREATE ROLE ${user} LOGIN PASSWORD 'x'`)
    onTestFinished(async () => {
      await sql(url, `DROP OWNED BY ${user}`)
      await sql(url, `DROP ROLE ${user}`)
    })
    await sql(url, `GRANT USAGE ON SCHEMA ${schema} TO ${user}`)
    await sql(url, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user}`)
    await sql(url, `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${user}`)
    const theirs = new URL(url)
    theirs.username = user
    theirs.password = 'x'
    const backend = await opened({ url: theirs.href, schema })
    const record = newRecord({ expiresAt: 2_000_000, ttlMs: 1_000_000 })
    expect(await backend.create(record, call())).toBe(true)
    expect(await backend.events?.append(record.id, { key: 'k', stream: 'a', data: 'x' }, anyBounds, call())).toBe(1)
    expect(await backend.deleteExpired(10, call(3_000_000))).toBe(1)
    const other = newSchema(url)
    const refused = await failure(postgresBackend({ url: theirs.href, schema: other }).open(), 'MCP_SESSION_UNAVAILABLE')
    expect(refused.message).toContain('right')
  })

  it('says what is wrong where nobody listens, the user is unknown, or there is no such database', async () => {
    const { url } = server
    const refused = await failure(postgresBackend({ url: 'postgres://127.0.0.1:1/x' }).open(), 'MCP_SESSION_UNAVAILABLE')
    expect(refused.message).toContain('listens')
    for (const [part, value] of [
      ['username', 'nobody_of_that_name'],
      ['pathname', '/no_such_database'],
    ] as const) {
      const wrong = new URL(url)
      wrong[part] = value
      const error = await failure(postgresBackend({ url: wrong.href }).open(), 'MCP_SESSION_UNAVAILABLE')
      expect(error.retryable).toBe(false)
    }
  }, 30_000)

  it('refuses an isolation level under which a delete would miss events', async () => {
    const { url } = server
    const schema = newSchema(url)
    await migratePostgres({ url, schema })
    const options = { url, schema, poolOptions: { options: '-c default_transaction_isolation=repeatable\\ read' } }
    const error = await failure(postgresBackend(options).open(), 'MCP_SESSION_UNAVAILABLE')
    expect(error.message).toContain('isolation')
    const client = await rawClient(url)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    const sweep = client.query(`SELECT * FROM ${schema}.mcp_session_sweep(1, 1, 1, '1')`)
    await expect(sweep).rejects.toMatchObject({ code: '25000' })
    await client.query('ROLLBACK')
  })
})

describe('a lent pool', () => {
  it('keeps its own settings, its connections and its listeners', async () => {
    const { url } = server
    const schema = newSchema(url)
    const pool = new pg.Pool({ connectionString: url, max: 2, application_name: 'lent' })
    onTestFinished(() => pool.end())
    const before = pool.eventNames()
    const backend = postgresBackend({ pool, schema })
    for (let round = 0; round < 3; round += 1) {
      await backend.open()
      const stop = await backend.signals?.subscribe('c', () => {})
      await Promise.all(Array.from({ length: 50 }, () => backend.create(newRecord(), call())))
      await stop?.()
      await backend.close()
      expect(pool.eventNames()).toEqual(before)
    }
    const { rows } = await pool.query(`SELECT current_setting('application_name') AS name`)
    expect(rows).toEqual([{ name: 'lent' }])
    expect(pool.totalCount).toBeLessThanOrEqual(2)
  })

  it('that has no free connection lets calls end at their deadlines, and serves them again afterwards', async () => {
    const { url } = server
    const schema = newSchema(url)
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    onTestFinished(() => pool.end())
    const backend = await opened({ pool, schema })
    const taken = await pool.connect()
    const record = newRecord()
    const error = await failure(backend.create(record, call(undefined, 200)), 'MCP_SESSION_TIMEOUT')
    expect(error.outcome).toBe('none')
    await failure(backend.get(record.id, call(undefined, 200)), 'MCP_SESSION_TIMEOUT')
    // Who has given up takes no part in the queue of the pool any more than once.
    expect(pool.waitingCount).toBeLessThanOrEqual(2)
    taken.release()
    expect(await backend.get(record.id, call())).toBeUndefined()
    expect(await backend.create(record, call())).toBe(true)
  })

  it('that was ended under the backend is unavailable', async () => {
    const { url } = server
    const pool = new pg.Pool({ connectionString: url })
    const backend = await opened({ pool, schema: newSchema(url) })
    await pool.end()
    const error = await backend.create(newRecord(), call()).catch((reason: unknown) => reason)
    expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_UNAVAILABLE', retryable: false, outcome: 'none' })
  })
})

const anyBounds = { maxEvents: 10, maxAgeMs: 1_000, maxBytes: 1_000 }
