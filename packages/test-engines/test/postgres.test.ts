import { existsSync } from 'node:fs'
import { pidIsGone, portRefuses } from '@mcp-session/test-processes'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { startPostgres } from '../src/index.ts'
import { sharedMemoryOf, stateOf, userOf } from './process-facts.ts'

async function clientOf(url: string) {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end().catch(() => {}) })
}

async function valueOf(url: string, sql: string): Promise<unknown> {
  await using client = await clientOf(url)
  const { rows } = await client.query({ text: sql, rowMode: 'array' })
  return rows[0]?.[0]
}

describe('startPostgres', { timeout: 120_000 }, () => {
  it('answers on a free port, durable as PostgreSQL is, and not as root', async () => {
    await using engine = await startPostgres()
    expect(engine.url).toBe(`postgres://postgres@127.0.0.1:${engine.port}/postgres`)
    const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding']
    expect(await Promise.all(settings.map((name) => valueOf(engine.url, `show ${name}`)))).toEqual(['on', 'on', 'on', 'UTF8'])
    for (const pid of await engine.pids()) expect(userOf(pid)).not.toBe(0)
  })

  it('takes settings', async () => {
    await using engine = await startPostgres({ config: { max_connections: '17', default_transaction_isolation: 'serializable' } })
    expect(await valueOf(engine.url, 'show max_connections')).toBe('17')
    expect(await valueOf(engine.url, 'show default_transaction_isolation')).toBe('serializable')
  })

  it('is all its processes: a connection is one of them, and pause stops each', async () => {
    await using engine = await startPostgres()
    await using client = await clientOf(engine.url)
    const backend = Number((await client.query('select pg_backend_pid() as pid')).rows[0].pid)
    const pids = await engine.pids()
    expect(pids).toContain(backend)
    expect(pids.length).toBeGreaterThan(3)
    await engine.pause()
    // Workers come and go until then.
    const paused = await engine.pids()
    const states = new Set(paused.map(stateOf))
    const happened: string[] = []
    const answered = client.query('select 1').then(() => happened.push('answered'))
    await engine.pids()
    happened.push('resuming')
    await engine.resume()
    await answered
    expect(happened).toEqual(['resuming', 'answered'])
    expect(paused).toContain(backend)
    expect(states).toEqual(new Set(['T']))
  })

  it('keeps every committed row through kill and start, on the same port', async () => {
    await using engine = await startPostgres()
    await using client = await clientOf(engine.url)
    await client.query('create table kept (n int primary key)')
    for (let n = 0; n < 50; n++) await client.query('insert into kept values ($1)', [n])
    const pids = await engine.pids()
    await engine.kill()
    expect(pids.map(stateOf)).toEqual(pids.map(() => undefined))
    expect(pidIsGone(pids[0] ?? 0)).toBe(true)
    expect(await portRefuses(engine.port)).toBe(true)
    await engine.start()
    expect(await valueOf(engine.url, 'select count(*)::int from kept')).toBe(50)
  })

  it.each(['running', 'paused', 'killed'])(
    'leaves neither process, data nor shared memory when it is closed while it is %s',
    async (how) => {
      const engine = await startPostgres()
      const folder = String(await valueOf(engine.url, 'show data_directory'))
      const pids = await engine.pids()
      expect(existsSync(folder)).toBe(true)
      if (process.platform === 'linux') expect(sharedMemoryOf(pids)).not.toEqual([])
      if (how === 'paused') await engine.pause()
      if (how === 'killed') await engine.kill()
      await engine.close()
      expect(pids.map(stateOf)).toEqual(pids.map(() => undefined))
      expect([await portRefuses(engine.port), existsSync(folder), sharedMemoryOf(pids)]).toEqual([true, false, []])
    },
  )

  it('says what the server said when it does not start', async () => {
    await expect(startPostgres({ config: { no_such_setting: '1' } })).rejects.toThrow(/ended before it answered.*no_such_setting/s)
  })
})
