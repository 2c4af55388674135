import { Cluster, Redis } from 'ioredis'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import {
  startPgBouncer,
  startPostgres,
  startPostgresStandby,
  startRedisCluster,
  startRedisReplicas,
  startRedisSentinel,
} from '../src/index.ts'
import { redisReply } from '../src/redis-reply.ts'

async function rowsOf(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.map(([value]) => value)
  } finally {
    await client.end()
  }
}

describe('startRedisCluster', { timeout: 120_000 }, () => {
  it('spreads keys over three masters, and serves all slots again after a node was killed and started', async () => {
    await using cluster = await startRedisCluster()
    expect([cluster.nodes.length, cluster.url]).toEqual([3, cluster.nodes[0]?.url])
    const client = new Cluster([{ host: '127.0.0.1', port: cluster.nodes[0]?.port ?? 0 }])
    for (let i = 0; i < 60; i++) await client.set(`key-${i}`, i)
    const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()))
    expect(sizes.length).toBe(3)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(60)
    expect(Math.min(...sizes)).toBeGreaterThan(5)
    await cluster.nodes[1]?.kill()
    expect(await cluster.nodes[1]?.pids()).toEqual([])
    await cluster.nodes[1]?.start()
    await cluster.covered()
    for (const { port } of cluster.nodes) expect(await redisReply(port, 'CLUSTER INFO')).toContain('cluster_slots_ok:16384')
    client.disconnect()
    const fresh = new Cluster([{ host: '127.0.0.1', port: cluster.nodes[2]?.port ?? 0 }])
    for (let i = 0; i < 60; i++) expect(await fresh.get(`key-${i}`)).toBe(String(i))
    fresh.disconnect()
  })
})

describe('startRedisReplicas', { timeout: 120_000 }, () => {
  it('copies to a replica that refuses writes until it is promoted', async () => {
    await using pair = await startRedisReplicas()
    const primary = new Redis(pair.primary.url)
    const replica = new Redis(pair.replica.url)
    await primary.set('a', '1')
    expect(await primary.wait(1, 10_000)).toBe(1)
    expect(await replica.get('a')).toBe('1')
    await expect(replica.set('a', '2')).rejects.toThrow('READONLY')
    primary.disconnect()
    await pair.primary.kill()
    await pair.promote()
    expect(await replica.set('a', '2')).toBe('OK')
    replica.disconnect()
  })
})

describe('startRedisSentinel', { timeout: 120_000 }, () => {
  it('promotes the replica when the primary is killed, and clients find it by the name of the group', async () => {
    await using group = await startRedisSentinel()
    expect(group.sentinels.length).toBe(3)
    const client = new Redis({ sentinels: [...group.sentinels], name: group.name })
    client.on('error', () => {})
    await client.set('a', '1')
    expect(await client.wait(1, 10_000)).toBe(1)
    expect(await client.info('server')).toContain(`tcp_port:${group.primary.port}\r`)
    await group.primary.kill()
    // ioredis asks again and again, until the sentinels name a server that serves.
    expect(await client.get('a')).toBe('1')
    expect(await client.info('server')).toContain(`tcp_port:${group.replica.port}\r`)
    expect(await client.info('replication')).toContain('role:master')
    client.disconnect()
  })
})

describe('startPostgresStandby', { timeout: 120_000 }, () => {
  it('streams to a standby that refuses writes until it is promoted', async () => {
    await using pair = await startPostgresStandby()
    await rowsOf(pair.primary.url, 'create table t (n int)')
    expect(await rowsOf(pair.standby.url, 'select pg_is_in_recovery()')).toEqual([true])
    await expect(rowsOf(pair.standby.url, 'create table u (n int)')).rejects.toMatchObject({ code: '25006' })
    await rowsOf(pair.primary.url, 'insert into t values (7)')
    await arrived(pair.standby.url, 'select n from t', [7])
    await pair.primary.kill()
    await pair.promote()
    expect(await rowsOf(pair.standby.url, 'insert into t values (8) returning n')).toEqual([8])
    expect(await rowsOf(pair.standby.url, 'select n from t order by n')).toEqual([7, 8])
  })

  // Replication is asynchronous: asked until it has come, at most as long as the test may take.
  async function arrived(url: string, sql: string, expected: unknown[]) {
    for (;;) {
      const found = await rowsOf(url, sql).catch((error: unknown) => [error])
      if (JSON.stringify(found) === JSON.stringify(expected)) return
    }
  }
})

describe('startPgBouncer', { timeout: 120_000 }, () => {
  it('gives a server connection for a transaction only, so that clients share it and keep nothing in it', async () => {
    await using target = await startPostgres()
    await using engine = await startPgBouncer({ target, poolSize: 1 })
    expect(engine.url).toBe(`postgres://postgres@127.0.0.1:${engine.port}/postgres`)
    const [one, two] = [new Client({ connectionString: engine.url }), new Client({ connectionString: engine.url })]
    await Promise.all([one.connect(), two.connect()])
    const pidOf = async (client: Client) => (await client.query('select pg_backend_pid() as pid')).rows[0].pid
    expect(await pidOf(one)).toBe(await pidOf(two))
    await one.query({ name: 'mine', text: 'select 1' })
    await expect(two.query({ name: 'mine', text: 'select 2' })).rejects.toMatchObject({ code: '42P05' })
    await Promise.all([one.end(), two.end()])
  })

  it('is an engine of its own: killed and started it serves again, and the server behind it never noticed', async () => {
    await using target = await startPostgres()
    await using engine = await startPgBouncer({ target })
    const [before] = await target.pids()
    await engine.kill()
    await expect(rowsOf(engine.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
    await engine.start()
    expect(await rowsOf(engine.url, 'select 1')).toEqual([1])
    expect((await target.pids())[0]).toBe(before)
  })

  it('takes a whole number of connections only', async () => {
    await using target = await startPostgres()
    for (const poolSize of [0, 1.5, Number.NaN]) await expect(startPgBouncer({ target, poolSize })).rejects.toThrow(RangeError)
  })
})
