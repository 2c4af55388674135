import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { openSessions, type Sessions } from '@mcp-session/core'
import { SessionError } from '@mcp-session/core/backend'
import type Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sqliteBackend } from '../src/index.ts'
import { call, failure, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

const numbers = ['seq', 'created_at', 'last_accessed_at', 'ttl_ms', 'must_end_at', 'expires_at', 'head_crc', 'check_sum'] as const
const texts = ['rev', 'prev_rev', 'owner', 'data'] as const
const secret = { account: 'alice', balance: 100 }

describe('one flipped bit in a stored row', () => {
  it.each(numbers)('is CORRUPT in %s', async (column) => {
    const { sessions, id, database } = await storedSession()
    for (let bit = 0n; bit < 64n; bit += 1n) {
      const before = flipNumber(database, column, bit)
      await expectCorrupt(sessions, id, `${column} bit ${bit}`)
      putBack(database, column, before)
    }
    expect((await sessions.retrieve(id))?.metadata).toEqual(secret)
  })

  it.each(texts)('is CORRUPT in %s', async (column) => {
    const { sessions, id, database } = await storedSession({ cacheBytes: 0 })
    const before = bytesOf(database, column)
    for (let bit = 0; bit < before.length * 8; bit += 1) {
      writeText(database, column, flipped(before, bit))
      await expectCorrupt(sessions, id, `${column} bit ${bit}`)
    }
    writeText(database, column, before)
    expect((await sessions.retrieve(id))?.metadata).toEqual(secret)
  })

  it.each(['prev_rev', 'owner', 'data'] as const)('is no other value in %s, where this process knows the session', async (column) => {
    const { sessions, id, database } = await storedSession()
    const before = bytesOf(database, column)
    for (let bit = 0; bit < before.length * 8; bit += 1) {
      writeText(database, column, flipped(before, bit))
      expect(await retrieved(sessions, id, 'alice')).toMatchObject({ owner: 'alice', metadata: secret })
      expect(await retrieved(sessions, id, 'mallory')).toBeUndefined()
    }
  })

  it('is never another session in id', async () => {
    const { sessions, id, database } = await storedSession()
    const before = bytesOf(database, 'id')
    for (let bit = 0; bit < before.length * 8; bit += 1) {
      const bytes = flipped(before, bit)
      writeText(database, 'id', bytes)
      expect(await sessions.retrieve(id)).toBeUndefined()
      const outcome = await retrieved(sessions, bytes.toString('latin1'))
      expect(outcome === undefined || SessionError.is(outcome, 'MCP_SESSION_CORRUPT'), `bit ${bit}`).toBe(true)
    }
  })

  it('is no hindrance for deleting the session', async () => {
    const { sessions, id, database } = await storedSession()
    flipNumber(database, 'expires_at', 1n)
    expect(await sessions.delete(id)).toBe(true)
    expect(await sessions.retrieve(id)).toBeUndefined()
  })
})

describe('a damaged row', () => {
  it('is named by a listing, which goes on', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const records = Array.from({ length: 5 }, () => newRecord({ owner: 'alice' }))
    for (const record of records) await backend.create(record, call())
    const damagedId = records[2]?.id ?? ''
    rawDatabase(path).prepare('UPDATE mcp_session SET expires_at = 1 WHERE id = ?').run(damagedId)
    for (const query of [{ limit: 2 }, { limit: 2, owner: 'alice' }, { limit: 2, data: false }]) {
      const listed: unknown[] = []
      let cursor: string | undefined
      do {
        const page = await backend.list(cursor === undefined ? query : { ...query, cursor }, call())
        listed.push(...page.records.map(({ id, expiresAt }) => (Number.isNaN(expiresAt) ? `damaged ${id}` : id)))
        cursor = page.cursor
      } while (cursor !== undefined)
      expect(listed).toEqual(records.map(({ id }) => (id === damagedId ? `damaged ${id}` : id)))
    }
  })

  it('is named by a listing of headers too, where no data could tell', async () => {
    const path = newPath()
    const backend = await opened({ path })
    await backend.create(newRecord({ id: 's_1', owner: 'alice' }), call())
    rawDatabase(path).exec(`UPDATE mcp_session SET owner = 'alicf'`)
    const { records } = await backend.list({ limit: 10, owner: 'alicf', data: false }, call())
    expect(records.map(({ id, expiresAt }) => [id, expiresAt])).toEqual([['s_1', Number.NaN]])
  })

  it('is not swept as expired, not revived by a touch and not overwritten', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const record = newRecord()
    await backend.create(record, call())
    rawDatabase(path).prepare('UPDATE mcp_session SET expires_at = expires_at - 50000').run()
    expect(await backend.deleteExpired(100, call(record.expiresAt - 1))).toBe(0)
    const touch = { id: record.id, rev: record.rev, lastAccessedAt: record.expiresAt, expiresAt: record.expiresAt + 60_000 }
    await failure(backend.touch(touch, call()), 'MCP_SESSION_CORRUPT')
    await failure(backend.replace({ ...record, rev: 'next', prevRev: record.rev }, record.rev, call()), 'MCP_SESSION_CORRUPT')
    await failure(backend.create(record, call(record.expiresAt - 1)), 'MCP_SESSION_CORRUPT')
    const event = { key: 'k', stream: 'a', data: 'x' }
    const unbounded = { maxEvents: 10, maxAgeMs: 10, maxBytes: 10 }
    const appended = backend.events?.append(record.id, event, unbounded, call()) ?? Promise.resolve()
    await failure(appended, 'MCP_SESSION_CORRUPT')
  })

  it('fails alone among calls that travel together', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const bad = newRecord()
    const good = newRecord()
    await backend.create(bad, call())
    await backend.create(good, call())
    rawDatabase(path).prepare('UPDATE mcp_session SET ttl_ms = 1 WHERE id = ?').run(bad.id)
    const [failed, replaced] = await Promise.allSettled([
      backend.replace({ ...bad, rev: 'b2', prevRev: bad.rev }, bad.rev, call()),
      backend.replace({ ...good, rev: 'g2', prevRev: good.rev }, good.rev, call()),
    ])
    expect(failed.status).toBe('rejected')
    expect(replaced).toEqual({ status: 'fulfilled', value: { replaced: true } })
  })
})

describe('a flipped bit anywhere in the file', () => {
  it('gives the stored value, an error or nothing, and never another value', { timeout: 60_000 }, async () => {
    const path = newPath()
    const record = newRecord({ owner: 'alice', rev: 'stored', data: 'value '.repeat(40) })
    const first = sqliteBackend({ path })
    await first.open()
    await first.create(record, call())
    await first.close()
    // Only closed files are opened with fs: closing a descriptor drops the locks of a connection.
    const bytes = readFileSync(path)
    const copy = `${path}.flipped`
    const place = bytes.indexOf('stored')
    let changed = 0
    for (let bit = (place - 80) * 8; bit < (place + 80) * 8; bit += 3) {
      writeFileSync(copy, flipped(bytes, bit))
      const found = await readBack(copy, record.id)
      if (found === undefined || found instanceof Error) continue
      // The store's own checksum is in data, and watches over data.
      if (found.data !== record.data) changed += 1
      expect({ ...found, data: record.data }, `bit ${bit}`).toEqual(record)
    }
    expect(changed).toBeGreaterThan(0)
    copyFileSync(path, copy)
    expect(await readBack(copy, record.id)).toEqual(record)
  })
})

async function storedSession(
  options: { cacheBytes?: number } = {},
): Promise<{ sessions: Sessions; id: string; database: Database.Database }> {
  const path = newPath()
  const sessions = await openSessions({ backend: sqliteBackend({ path, durable: false }), cleanupIntervalMs: 0, ...options })
  onTestFinished(() => sessions.close())
  const { id } = await sessions.create({}, { owner: 'alice' })
  await sessions.update(id, () => secret)
  const database = rawDatabase(path)
  database.pragma('synchronous = OFF')
  return { sessions, id, database }
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

function flipNumber(database: Database.Database, column: string, bit: bigint): bigint {
  const before = database.prepare(`SELECT ${column} FROM mcp_session`).pluck().safeIntegers().get() as bigint
  putBack(database, column, BigInt.asIntN(64, before ^ (1n << bit)))
  return before
}

function putBack(database: Database.Database, column: string, value: bigint): void {
  database.prepare(`UPDATE mcp_session SET ${column} = ?`).run(value)
}

function bytesOf(database: Database.Database, column: string): Buffer {
  return database.prepare(`SELECT CAST(${column} AS BLOB) FROM mcp_session`).pluck().get() as Buffer
}

function writeText(database: Database.Database, column: string, bytes: Buffer): void {
  database.prepare(`UPDATE mcp_session SET ${column} = CAST(? AS TEXT)`).run(bytes)
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return copy
}

async function readBack(path: string, id: string) {
  const backend = sqliteBackend({ path, durable: false })
  try {
    await backend.open()
    return await backend.get(id, call())
  } catch (error) {
    return error as Error
  } finally {
    await backend.close()
  }
}
