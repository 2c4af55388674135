import { type PostgresStandby, startPostgresStandby } from '@mcp-session/test-engines'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, newRecord, opened, rejection, sql } from './fixtures.ts'

let pair: PostgresStandby | undefined

beforeAll(async () => {
  pair = await startPostgresStandby()
}, 120_000)
afterAll(() => pair?.close())

it('a standby serves reads, refuses writes, and takes them once it is promoted', async () => {
  const { primary, standby, promote } = started()
  const schema = 'failover'
  const there = await opened({ url: primary.url, schema })
  const record = newRecord()
  await there.create(record, call())
  const arrived = async () => (await sql(standby.url, `SELECT to_regclass('${schema}.mcp_session')::text`))[0]?.[0]
  await expect.poll(arrived, { timeout: 20_000 }).toBe(`${schema}.mcp_session`)
  const here = await opened({ url: standby.url, schema })
  await expect.poll(() => here.get(record.id, call()), { timeout: 20_000 }).toEqual(record)
  expect((await here.list({ limit: 10 }, call())).records).toEqual([record])
  expect((await here.health(call())).warnings.map(({ code }) => code)).toContain('postgres-standby')
  for (const write of [
    () => here.create(newRecord(), call()),
    () => here.delete(record.id, undefined, call()),
    () => here.deleteExpired(10, call()),
  ]) {
    const error = await rejection(write())
    expect(error).toMatchObject({ code: '25006' })
    expect(here.classify(error)).toEqual({ code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'none' })
  }
  await primary.kill()
  await promote()
  await expect.poll(() => here.delete(record.id, record.rev, call()).catch(() => false), { timeout: 20_000 }).toBe(true)
  expect(await here.create(newRecord(), call())).toBe(true)
  expect((await here.health(call())).warnings.map(({ code }) => code)).not.toContain('postgres-standby')
}, 120_000)

function started(): PostgresStandby {
  if (pair === undefined) throw new Error('the pair has not been started')
  return pair
}
