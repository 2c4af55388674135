import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call, eventsOf, newFolder, newRecord, opened } from './fixtures.ts'

/** A command of the system, not of a package. */
function run(command: string, ...options: string[]): void {
  execFileSync(command, options)
}

const isRoot = process.getuid?.() === 0
const reason = isRoot ? '' : ' (skipped: only root can mount a small file system)'

/** A file system of that size in memory. */
function smallDisk(size: string): string {
  const folder = join(newFolder(), 'disk')
  mkdirSync(folder)
  run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'mcp-session-test', folder)
  onTestFinished(() => run('umount', '-l', folder))
  return folder
}

function resize(folder: string, size: string): void {
  run('mount', '-o', `remount,size=${size}`, folder)
}

/** Creates sessions, many at once, until a creation fails; gives those that were acknowledged and the error. */
async function fill(backend: SessionBackend, dataBytes: number): Promise<{ acknowledged: SessionRecord[]; error: unknown }> {
  const acknowledged: SessionRecord[] = []
  for (;;) {
    const records = Array.from({ length: 64 }, () => newRecord({ owner: 'o', data: 'x'.repeat(dataBytes) }))
    const outcomes = await Promise.allSettled(records.map((record) => backend.create(record, call())))
    for (const [index, record] of records.entries()) if (outcomes[index]?.status === 'fulfilled') acknowledged.push(record)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) return { acknowledged, error: failed.reason }
  }
}

async function expectAll(backend: SessionBackend, records: readonly SessionRecord[]): Promise<void> {
  for (const record of records) expect(await backend.get(record.id, call())).toEqual(record)
}

describe.skipIf(!isRoot)(`a full disk${reason}`, () => {
  it('refuses writes with LIMIT, loses nothing acknowledged, and is written again by the same object when there is room', {
    timeout: 60_000,
  }, async () => {
    const path = join(smallDisk('6m'), 'sessions')
    const backend = await opened({ path })
    const { acknowledged, error } = await fill(backend, 3_000)
    expect(acknowledged.length).toBeGreaterThan(500)
    expect(backend.classify(error)).toMatchObject({ code: 'MCP_SESSION_LIMIT', retryable: true })
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(backend.create(newRecord(), call())).rejects.toMatchObject({
        code: 'MCP_SESSION_LIMIT',
        retryable: true,
        outcome: 'none',
      })
    }
    await expectAll(backend, acknowledged)
    expect((await backend.health(call())).warnings).toMatchObject([{ code: 'leveldb-disk-full' }])

    resize(join(path, '..'), '64m')
    const later = newRecord()
    expect(await backend.create(later, call())).toBe(true)
    expect(await eventsOf(backend).append(later.id, { key: 'k', stream: 'a', data: 'x' }, unbounded, call())).toBe(1)
    expect((await backend.health(call())).warnings).toEqual([])
    await expectAll(backend, [...acknowledged, later])
    const { acknowledged: more } = await fillSome(backend)
    await backend.close()
    await backend.open()
    await expectAll(backend, [...acknowledged, later, ...more])
    await backend.close()
  })

  it('does not take a store that cannot be made, and leaves nothing locked', async () => {
    const disk = smallDisk('16k')
    const backend = (await import('../src/index.ts')).leveldbBackend({ path: join(disk, 'sessions') })
    await expect(backend.open()).rejects.toMatchObject({ code: 'MCP_SESSION_LIMIT' })
    resize(disk, '64m')
    await backend.open()
    expect(await backend.create(newRecord(), call())).toBe(true)
    await backend.close()
  })
})

async function fillSome(backend: SessionBackend): Promise<{ acknowledged: SessionRecord[] }> {
  const acknowledged = Array.from({ length: 200 }, () => newRecord({ data: 'y'.repeat(3_000) }))
  await Promise.all(acknowledged.map((record) => backend.create(record, call())))
  return { acknowledged }
}

const unbounded = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
