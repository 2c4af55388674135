import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anyRetention, call, newPath, newRecord, opened } from './fixtures.ts'

/** A command of the system, not of a package. */
function run(command: string, ...options: string[]): void {
  execFileSync(command, options)
}

const isRoot = process.getuid?.() === 0
const reason = isRoot ? '' : ' (skipped: only root can mount a small file system)'
const patience = { timeout: 60_000 }

/** A database on a file system of that size in memory. */
function pathOnSmallDisk(size: string): string {
  const folder = newPath('disk')
  mkdirSync(folder)
  run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'mcp-session-test', folder)
  onTestFinished(() => run('umount', '-l', folder))
  return join(folder, 'sessions.db')
}

function resize(path: string, size: string): void {
  run('mount', '-o', `remount,size=${size}`, dirname(path))
}

/** Creates sessions, many at once, until creations fail; gives those that were acknowledged, and the errors. */
async function fill(backend: SessionBackend): Promise<{ acknowledged: SessionRecord[]; errors: unknown[] }> {
  const acknowledged: SessionRecord[] = []
  for (;;) {
    const records = Array.from({ length: 64 }, () => newRecord({ data: 'x'.repeat(3_000) }))
    const outcomes = await Promise.allSettled(records.map((record) => backend.create(record, call())))
    for (const [index, record] of records.entries()) if (outcomes[index]?.status === 'fulfilled') acknowledged.push(record)
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    if (errors.length > 0) return { acknowledged, errors }
  }
}

async function expectAll(backend: SessionBackend, records: readonly SessionRecord[]): Promise<void> {
  for (const record of records) expect(await backend.get(record.id, call())).toEqual(record)
}

describe.skipIf(!isRoot)(`a full disk${reason}`, () => {
  it('refuses writes with LIMIT, loses nothing, and is written again by the same object when there is room', patience, async () => {
    const path = pathOnSmallDisk('8m')
    const backend = await opened({ path })
    const { acknowledged, errors } = await fill(backend)
    expect(acknowledged.length).toBeGreaterThan(300)
    for (const error of errors) {
      expect(backend.classify(error)).toEqual({ code: 'MCP_SESSION_LIMIT', retryable: true, outcome: 'none' })
    }
    await expectAll(backend, acknowledged)
    resize(path, '64m')
    const { acknowledged: more } = await fill64(backend)
    await backend.close()
    await backend.open()
    await expectAll(backend, [...acknowledged, ...more])
    await backend.close()
  })

  it('still deletes sessions, one by one, and lets nothing else use the room for it', patience, async () => {
    const path = pathOnSmallDisk('8m')
    const backend = await opened({ path })
    expect(statSync(`${path}-reserve`)).toMatchObject({ size: 1024 * 1024 })
    const { acknowledged } = await fill(backend)
    const [withEvents, ...rest] = acknowledged
    for (const { id } of acknowledged.slice(0, 50)) {
      expect(await backend.delete(id, undefined, call())).toBe(true)
      expect(await backend.get(id, call())).toBeUndefined()
      await expect(backend.create(newRecord(), call())).rejects.toMatchObject({ code: 'MCP_SESSION_LIMIT', outcome: 'none' })
    }
    expect(await backend.get(withEvents?.id ?? '', call())).toBeUndefined()
    await expectAll(backend, rest.slice(49))
    resize(path, '64m')
    expect(await backend.create(newRecord(), call())).toBe(true)
    expect(statSync(`${path}-reserve`)).toMatchObject({ size: 1024 * 1024 })
    await backend.close()
  })

  it('of which the sweep makes room', patience, async () => {
    const path = pathOnSmallDisk('8m')
    const backend = await opened({ path })
    const expiring = newRecord({ expiresAt: 1_000_001 })
    await backend.create(expiring, call())
    await backend.events?.append(expiring.id, { key: 'k', stream: 'a', data: 'x' }, anyRetention, call())
    await fill(backend)
    expect(await backend.deleteExpired(10, call(1_000_002))).toBe(1)
    await backend.close()
  })
})

async function fill64(backend: SessionBackend): Promise<{ acknowledged: SessionRecord[] }> {
  const acknowledged = Array.from({ length: 64 }, () => newRecord({ data: 'y'.repeat(3_000) }))
  await Promise.all(acknowledged.map((record) => backend.create(record, call())))
  return { acknowledged }
}
