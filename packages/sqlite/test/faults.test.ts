import { describe, expect, it } from 'vitest'
import { anyRetention, call, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

describe('a full disk', () => {
  it('refuses writes whole, stays readable, and is written again when there is room', async () => {
    const database = rawDatabase(newPath())
    database.pragma('journal_mode = WAL')
    const backend = await opened({ database })
    const known = newRecord()
    await backend.create(known, call())
    database.pragma(`max_page_count = ${String(database.pragma('page_count', { simple: true }))}`)
    const large = newRecord({ data: 'x'.repeat(100_000) })
    const event = { key: 'k', stream: 'a', data: 'x'.repeat(100_000) }
    const attempts = [backend.create(large, call()), backend.events?.append(known.id, event, anyRetention, call())]
    for (const error of await Promise.all(attempts.map((attempt) => attempt?.catch((reason: unknown) => reason)))) {
      expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_LIMIT', retryable: true, outcome: 'none' })
    }
    expect(database.inTransaction).toBe(false)
    expect(await backend.get(known.id, call())).toEqual(known)
    expect(await backend.get(large.id, call())).toBeUndefined()
    database.pragma('max_page_count = 1000000')
    expect(await backend.create(large, call())).toBe(true)
    expect(await backend.events?.append(known.id, event, anyRetention, call())).toBe(1)
  })
})

describe('tables that somebody dropped', () => {
  it('fail every call with an error that is named, and nothing hangs', async () => {
    const path = newPath()
    const backend = await opened({ path })
    rawDatabase(path).exec('DROP TABLE mcp_session')
    for (const attempt of [backend.get('s_1', call()), backend.create(newRecord(), call())]) {
      const error: unknown = await attempt.catch((reason: unknown) => reason)
      expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_INTERNAL', retryable: false, outcome: 'none' })
    }
  })
})
