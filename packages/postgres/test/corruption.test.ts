import { openSessions, type Sessions } from '@mcp-session/core'
import { SessionError } from '@mcp-session/core/backend'
import { describe, expect, it, onTestFinished } from 'vitest'
import { postgresBackend } from '../src/index.ts'
import { anyRetention, call, engineOfFile, failure, newRecord, newSchema, opened, rawClient, sql, successor } from './fixtures.ts'

const server = engineOfFile()
const numbers = ['seq', 'created_at', 'last_accessed_at', 'ttl_ms', 'must_end_at', 'expires_at', 'head_crc', 'check_sum'] as const
const texts = ['rev', 'prev_rev', 'owner', 'data'] as const
const secret = { account: 'alice', balance: 100 }

describe('one flipped bit in a stored row', () => {
  it.each(numbers)(
    'is CORRUPT in %s',
    async (column) => {
      const { sessions, id, update } = await storedSession()
      for (let bit = 0n; bit < 64n; bit += 1n) {
        const flip = `${column} = ${column} # (1::bigint << ${bit})`
        await update(flip)
        await expectCorrupt(sessions, id, `${column} bit ${bit}`)
        await update(flip)
      }
      expect((await sessions.retrieve(id))?.metadata).toEqual(secret)
    },
    60_000,
  )

  it.each(texts)(
    'is CORRUPT in %s',
    async (column) => {
      const { sessions, id, update, value } = await storedSession()
      const before = String(await value(column))
      for (let index = 0; index < before.length; index += 1) {
        for (let bit = 0; bit < 7; bit += 1) {
          const code = before.charCodeAt(index) ^ (1 << bit)
          // A NUL, or a byte that is no text, the engine would refuse to read.
          if (code === 0) continue
          await update(`${column} = $1`, [before.slice(0, index) + String.fromCharCode(code) + before.slice(index + 1)])
          await expectCorrupt(sessions, id, `${column} byte ${index} bit ${bit}`)
        }
      }
      await update(`${column} = $1`, [before])
      expect((await sessions.retrieve(id))?.metadata).toEqual(secret)
    },
    120_000,
  )

  it('is CORRUPT where a text is gone altogether, or has come from nowhere', async () => {
    const { sessions, id, update, value } = await storedSession()
    for (const column of ['prev_rev', 'owner']) {
      const before = await value(column)
      for (const other of [null, '']) {
        await update(`${column} = $1`, [other])
        await expectCorrupt(sessions, id, `${column} = ${String(other)}`)
      }
      await update(`${column} = $1`, [before])
    }
  })

  it('changes no answer in sweep_at, and is put right by the next sweep', async () => {
    const { sessions, id, update, value } = await storedSession()
    await update('sweep_at = 1')
    expect((await sessions.retrieve(id))?.metadata).toEqual(secret)
    expect(await sessions.cleanupExpired()).toBe(0)
    expect(await value('sweep_at')).toBe(await value('expires_at'))
  })

  it('is no hindrance for deleting the session', async () => {
    const { sessions, id, update } = await storedSession()
    await update('expires_at = expires_at # 2')
    expect(await sessions.delete(id)).toBe(true)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })
})

describe('a damaged row', () => {
  it('is named by a listing, which goes on', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const records = Array.from({ length: 5 }, (_, n) => newRecord({ id: `s_${n}`, owner: 'alice' }))
    for (const record of records) await backend.create(record, call())
    await sql(url, `UPDATE ${schema}.mcp_session SET expires_at = 1 WHERE id = 's_2'`)
    for (const query of [{ limit: 2 }, { limit: 2, owner: 'alice' }, { limit: 2, data: false }]) {
      const listed: unknown[] = []
      let cursor: string | undefined
      do {
        const page = await backend.list(cursor === undefined ? query : { ...query, cursor }, call())
        listed.push(...page.records.map(({ id, expiresAt }) => (Number.isNaN(expiresAt) ? `damaged ${id}` : id)))
        cursor = page.cursor
      } while (cursor !== undefined)
      expect(listed).toEqual(['s_0', 's_1', 'damaged s_2', 's_3', 's_4'])
    }
  })

  it('is not swept, not revived, not overwritten, and fails alone among calls that travel together', async () => {
    const { url } = server
    const schema = newSchema(url)
    const backend = await opened({ url, schema })
    const [bad, good] = [newRecord(), newRecord()]
    await backend.create(bad, call())
    await backend.create(good, call())
    await sql(url, `UPDATE ${schema}.mcp_session SET expires_at = expires_at - 50000 WHERE id = $1`, [bad.id])
    expect(await backend.deleteExpired(100, call(bad.expiresAt - 1))).toBe(0)
    const event = { key: 'k', stream: 'a', data: 'x' }
    const touch = { id: bad.id, rev: bad.rev, lastAccessedAt: bad.expiresAt, expiresAt: bad.expiresAt + 60_000 }
    const [replaced, appended] = await Promise.all([
      backend.replace(successor(good), good.rev, call()),
      backend.events?.append(good.id, event, anyRetention, call()),
      failure(backend.replace(successor(bad), bad.rev, call()), 'MCP_SESSION_CORRUPT'),
      failure(backend.events?.append(bad.id, event, anyRetention, call()) ?? Promise.resolve(), 'MCP_SESSION_CORRUPT'),
    ])
    expect([replaced, appended]).toEqual([{ replaced: true }, 1])
    await failure(backend.touch(touch, call()), 'MCP_SESSION_CORRUPT')
    await failure(backend.create(bad, call(bad.expiresAt - 1)), 'MCP_SESSION_CORRUPT')
    const page = { after: 0, limit: 10, maxAgeMs: 10 }
    await failure(backend.events?.read(bad.id, page, call()) ?? Promise.resolve(), 'MCP_SESSION_CORRUPT')
    await failure(
      backend.events?.restore(bad.id, { events: [], last: 1, trimmed: false }, call()) ?? Promise.resolve(),
      'MCP_SESSION_CORRUPT',
    )
    expect(await backend.delete(bad.id, undefined, call())).toBe(true)
  })
})

async function storedSession() {
  const { url } = server
  const schema = newSchema(url)
  // It remembers nothing: what a store knows already it does not read again.
  const sessions = await openSessions({ backend: postgresBackend({ url, schema }), cleanupIntervalMs: 0, ttlMs: 3_600_000, cacheBytes: 0 })
  onTestFinished(() => sessions.close())
  const { id } = await sessions.create({}, { owner: 'alice' })
  await sessions.update(id, () => secret)
  const client = await rawClient(url)
  return {
    sessions,
    id,
    update: async (set: string, values: unknown[] = []) => void (await client.query(`UPDATE ${schema}.mcp_session SET ${set}`, values)),
    value: async (column: string) => (await client.query(`SELECT ${column} AS value FROM ${schema}.mcp_session`)).rows[0]?.value as unknown,
  }
}

async function expectCorrupt(sessions: Sessions, id: string, flip: string): Promise<void> {
  const outcomes = [await retrieved(sessions, id), await retrieved(sessions, id, 'alice'), await retrieved(sessions, id, 'mallory')]
  for (const outcome of outcomes) expect(SessionError.is(outcome, 'MCP_SESSION_CORRUPT'), `${flip}: ${String(outcome)}`).toBe(true)
}

async function retrieved(sessions: Sessions, id: string, owner?: string): Promise<unknown> {
  try {
    return await sessions.retrieve(id, owner === undefined ? {} : { owner })
  } catch (error) {
    return error
  }
}
