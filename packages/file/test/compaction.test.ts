import { expect, it } from 'vitest'
import { fileBackendOn } from '../src/internal.ts'
import { anyRetention, call, epoch, newRecord, small } from './fixtures.ts'
import { memoryDisk } from './memory-disk.ts'

const all = { after: 0, limit: 100, maxAgeMs: Number.POSITIVE_INFINITY }

it('carries over what lives, touches, events, sequences and what was trimmed included, and nothing that was deleted', async () => {
  const disk = memoryDisk()
  const options = { path: '/store', cacheBytes: 0 }
  const backend = fileBackendOn(disk, small, options)
  await backend.open()
  const [kept, gone] = [newRecord({ owner: 'alice', data: 'kept' }), newRecord()]
  await backend.create(kept, call())
  await backend.create(gone, call())
  for (let n = 1; n <= 5; n += 1) {
    await backend.events?.append(
      kept.id,
      { key: `k${n}`, stream: `stream ${n}`, data: `event ${n}` },
      { ...anyRetention, maxEvents: 2 },
      call(),
    )
  }
  await backend.touch({ id: kept.id, rev: kept.rev, lastAccessedAt: epoch + 7, expiresAt: epoch + 60_007 }, call())
  await backend.delete(gone.id, undefined, call())
  const churned = newRecord({ data: 'x'.repeat(300) })
  await backend.create(churned, call())
  let rev = churned.rev
  for (let n = 0; n < 300; n += 1) {
    const next = `${churned.rev}.${n}`
    await backend.replace({ ...churned, rev: next, prevRev: rev }, rev, call())
    rev = next
  }
  await backend.close()
  const segments = [...disk.files().keys()].filter((name) => name.endsWith('.log')).toSorted()
  expect(segments.length).toBeLessThan(12)
  expect(segments).not.toContain('00000001.log')
  const reopened = fileBackendOn(disk, small, options)
  await reopened.open()
  expect(await reopened.get(kept.id, call())).toEqual({ ...kept, lastAccessedAt: epoch + 7, expiresAt: epoch + 60_007 })
  expect(await reopened.get(gone.id, call())).toBeUndefined()
  expect((await reopened.list({ limit: 10, owner: 'alice' }, call())).records).toHaveLength(1)
  const page = await reopened.events?.read(kept.id, all, call())
  expect(page?.events.map(({ sequence, data }) => [sequence, data])).toEqual([
    [4, 'event 4'],
    [5, 'event 5'],
  ])
  expect(page).toMatchObject({ last: 5, trimmed: true })
  const trimmedOf = async (stream: string): Promise<boolean | undefined> =>
    (await reopened.events?.read(kept.id, { ...all, streams: [stream] }, call()))?.trimmed
  expect([await trimmedOf('stream 3'), await trimmedOf('stream 5')]).toEqual([true, false])
  expect(await reopened.events?.append(kept.id, { key: 'k6', stream: 'a', data: '' }, anyRetention, call())).toBe(6)
  await reopened.close()
})
