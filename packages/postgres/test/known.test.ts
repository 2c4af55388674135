import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { SessionError } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { call, engineOfFile, newRecord, newSchema, opened, rawClient, successor } from './fixtures.ts'

const server = engineOfFile()

describe.each([
  ['alone', 0],
  ['in company', 3],
] as const)('a read of what is known, %s', (_, others) => {
  it('takes from the engine what has changed, and nothing else', async () => {
    const { backend, record, get } = await stored(others)
    // No engine has it: whoever gives it has it from the caller.
    const known = { ...record, data: 'as it is known' }
    expect(await get(known)).toBe(known)
    const touched = { ...record, lastAccessedAt: record.lastAccessedAt + 5, expiresAt: record.expiresAt + 5 }
    await backend.touch(touched, call())
    expect(await get(known)).toEqual({ ...touched, data: known.data })
    const second = successor(touched, { data: 'second', owner: null })
    await backend.replace(second, record.rev, call())
    expect(await get(known)).toEqual(second)
    await backend.delete(record.id, undefined, call())
    expect(await get(second)).toBeUndefined()
  })

  it('is CORRUPT where an instant or a sum has changed by one bit', async () => {
    const { record, get, update } = await stored(others)
    for (const column of ['seq', 'last_accessed_at', 'expires_at', 'head_crc', 'check_sum']) {
      for (let bit = 0n; bit < 64n; bit += 7n) {
        const flip = `${column} = ${column} # (1::bigint << ${bit})`
        await update(flip)
        expect(await outcome(get(record)), `${column} bit ${bit}`).toBe('MCP_SESSION_CORRUPT')
        await update(flip)
      }
    }
    expect(await get(record)).toEqual(record)
  })

  it('is CORRUPT or right where anything else has changed', async () => {
    const { record, get, update } = await stored(others)
    const flips = [
      'created_at = created_at + 1',
      'ttl_ms = 1',
      'must_end_at = 1',
      `owner = 'bob'`,
      `owner = NULL`,
      `prev_rev = 'x'`,
      `data = 'x'`,
    ]
    for (const flip of flips) {
      await update(flip)
      expect([record, 'MCP_SESSION_CORRUPT'], flip).toContainEqual(await outcome(get(record)))
      await update(
        `created_at = ${record.createdAt}, ttl_ms = ${record.ttlMs}, must_end_at = ${record.mustEndAt}, owner = 'alice', prev_rev = NULL`,
      )
    }
    await update(`rev = 'x'`)
    expect(await outcome(get(record))).toBe('MCP_SESSION_CORRUPT')
  })
})

describe('reads that travel together', () => {
  it('are answered each for itself, whatever the callers know', async () => {
    const backend = await opened({ url: server.url, schema: newSchema(server.url) })
    const made = () => created(backend)
    const [same, touched, outdated, unknown, dead, deleted] = await Promise.all([made(), made(), made(), made(), made(), made()])
    const later = { ...touched, lastAccessedAt: touched.lastAccessedAt + 1, expiresAt: touched.expiresAt + 1 }
    const second = successor(outdated, { data: 'second' })
    await Promise.all([
      backend.touch(later, call()),
      backend.replace(second, outdated.rev, call()),
      backend.touch({ ...dead, expiresAt: dead.expiresAt + 7 }, call()),
      backend.delete(deleted.id, undefined, call()),
    ])
    const answers = await Promise.all([
      backend.get(same.id, call(), same),
      backend.get(touched.id, call(), touched),
      backend.get(outdated.id, call(), outdated),
      backend.get(outdated.id, call(), second),
      backend.get(outdated.id, call()),
      backend.get(unknown.id, call()),
      backend.get(dead.id, call(dead.expiresAt + 7), dead),
      backend.get(deleted.id, call(), deleted),
      backend.get('s_of_nobody', call()),
      backend.get(same.id, call()),
      backend.get(same.id, call(), { ...same }),
      backend.get(unknown.id, call(), same),
    ])
    expect(answers).toEqual([same, later, second, second, second, unknown, undefined, undefined, undefined, same, same, unknown])
    expect(new Set(answers.filter((answer) => answer !== undefined)).size, 'records of their own').toBe(9)
  })
})

async function stored(others: number) {
  const schema = newSchema(server.url)
  const backend = await opened({ url: server.url, schema })
  const record = await created(backend)
  const neighbours = await Promise.all(Array.from({ length: others }, () => created(backend)))
  const client = await rawClient(server.url)
  return {
    backend,
    record,
    async get(known: SessionRecord): Promise<SessionRecord | undefined> {
      const company = Promise.all(neighbours.map(({ id }) => backend.get(id, call())))
      const answer = backend.get(record.id, call(), known)
      expect(await company).toEqual(neighbours)
      return answer
    },
    update: (set: string) => client.query(`UPDATE ${schema}.mcp_session SET ${set} WHERE id = $1`, [record.id]),
  }
}

async function created(backend: SessionBackend): Promise<SessionRecord> {
  const record = newRecord({ owner: 'alice', mustEndAt: 9_000_000 })
  await backend.create(record, call())
  return record
}

/** The record, or the code of what went wrong. */
async function outcome(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    return SessionError.is(error) ? error.code : error
  }
}
