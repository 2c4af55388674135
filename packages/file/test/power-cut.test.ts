import { expect, it } from 'vitest'
import { fileBackendOn } from '../src/internal.ts'
import { call, newRecord, small } from './fixtures.ts'
import { afterPowerCut, type Fate, failure, memoryDisk } from './memory-disk.ts'
import { randomFrom, workload } from './workload.ts'

const options = { path: '/store' }

const sectorBytes = 512

function fates(seed: number): Fate[] {
  const random = randomFrom(seed)
  return [
    { write: () => 'lost', names: () => 0 },
    { write: () => 'kept', names: (changes) => changes },
    { write: () => 'kept', names: () => 0 },
    { write: () => 'lost', names: (changes) => changes },
    ...[1, 2].map(() => ({
      write: (_index: number, bytes: number) =>
        random(3) === 0 ? ('lost' as const) : { torn: sectorBytes * random(1 + Math.ceil(bytes / sectorBytes)) },
      names: (changes: number) => random(changes + 1),
    })),
  ]
}

it('a power cut at any point, with any fate of what was not synced, loses nothing acknowledged or shown', {
  timeout: 300_000,
}, async () => {
  const disk = memoryDisk()
  const work = workload(1, () => disk.operations.length)
  for (let round = 0; round < 2; round += 1) {
    const backend = fileBackendOn(disk, small, options)
    await backend.open()
    expect(await work.run(backend, 100)).toEqual([])
    expect(await work.wrongs(backend)).toEqual([])
    await backend.close()
  }
  const unlinked = disk.operations.filter(({ do: what }) => what === 'unlink').length
  expect(unlinked).toBeGreaterThan(4) // compaction was at work
  for (let end = 0; end <= disk.operations.length; end += 1) {
    for (const [n, fate] of fates(end).entries()) {
      const cut = memoryDisk(afterPowerCut(new Map(), disk.operations, end, fate))
      const backend = fileBackendOn(cut, small, options)
      await backend.open()
      expect(await work.wrongs(backend, end), `cut before operation ${end}, fate ${n}`).toEqual([])
      await backend.close()
    }
  }
})

it('a power cut after a failed sync and a new start takes nothing that was shown since', async () => {
  let fails = false
  const disk = memoryDisk(new Map(), (operation) => {
    if (fails && operation === 'sync') throw failure('EIO')
  })
  const [kept, unheard, next] = [newRecord(), newRecord(), newRecord()]
  const backend = fileBackendOn(disk, small, options)
  await backend.open()
  await backend.create(kept, call())
  fails = true
  await expect(backend.create(unheard, call())).rejects.toMatchObject({ code: 'EIO' })
  await backend.close()
  fails = false
  const again = fileBackendOn(disk, small, options)
  await again.open()
  // The system still has it, though the disk has not.
  expect(await again.get(unheard.id, call())).toEqual(unheard)
  await again.create(next, call())
  const lost = { write: () => 'lost' as const, names: () => 0 }
  const cut = fileBackendOn(memoryDisk(afterPowerCut(new Map(), disk.operations, disk.operations.length, lost)), small, options)
  await cut.open()
  for (const record of [kept, unheard, next]) expect(await cut.get(record.id, call())).toEqual(record)
  await cut.close()
  await again.close()
})

it('in the relaxed mode a power cut after a failed sync takes nothing that a later one says is on disk', async () => {
  let fails = false
  const disk = memoryDisk(new Map(), (operation) => {
    if (fails && operation === 'sync') throw failure('EIO')
  })
  const relaxed = { ...options, durable: false }
  const last = () => expect.poll(() => disk.operations.at(-1)?.do, { interval: 1 })
  const records = [newRecord(), newRecord(), newRecord()]
  const [before, between, after] = records
  const backend = fileBackendOn(disk, { ...small, syncAfterMs: 0 }, relaxed)
  await backend.open()
  await backend.create(before ?? newRecord(), call())
  await last().toBe('sync')
  fails = true
  await backend.create(between ?? newRecord(), call())
  await last().toBe('failed sync')
  fails = false
  await backend.create(after ?? newRecord(), call())
  await last().toBe('sync')
  const lost = { write: () => 'lost' as const, names: () => 0 }
  const cut = fileBackendOn(memoryDisk(afterPowerCut(new Map(), disk.operations, disk.operations.length, lost)), small, relaxed)
  await cut.open()
  for (const record of records) expect(await cut.get(record.id, call())).toEqual(record)
  await cut.close()
  await backend.close()
})

it('in the relaxed mode a power cut takes only the newest writes, and none that was synced', { timeout: 300_000 }, async () => {
  const disk = memoryDisk()
  const relaxed = { ...options, durable: false }
  const backend = fileBackendOn(disk, { ...small, syncAfterMs: 0 }, relaxed)
  await backend.open()
  const records = Array.from({ length: 40 }, () => newRecord({ data: 'x'.repeat(200) }))
  const written: number[] = []
  for (const [n, record] of records.entries()) {
    await backend.create(record, call())
    written.push(disk.operations.length - 1)
    // What was written is synced now and then, as between the requests of a server.
    if (n % 7 === 0) await expect.poll(() => disk.operations.at(-1)?.do, { interval: 1 }).toBe('sync')
  }
  await backend.close()
  const isSynced = (at: number, end: number): boolean => {
    const write = disk.operations[at]
    if (write?.do !== 'write') throw new Error('no write is acknowledged last')
    return disk.operations.slice(at, end).some((each) => each.do === 'sync' && each.file === write.file)
  }
  let lost = 0
  for (let end = 0; end <= disk.operations.length; end += 1) {
    const durable = written.filter((at) => at < end && isSynced(at, end)).length
    for (const fate of fates(end)) {
      const cut = fileBackendOn(memoryDisk(afterPowerCut(new Map(), disk.operations, end, fate)), small, relaxed)
      await cut.open()
      const found = (await cut.list({ limit: 100 }, call())).records.map(({ id }) => id)
      expect(found, `cut before operation ${end}`).toEqual(records.slice(0, found.length).map(({ id }) => id))
      expect(found.length, `cut before operation ${end}`).toBeGreaterThanOrEqual(durable)
      if (found.length < written.filter((at) => at < end).length) lost += 1
      await cut.close()
    }
  }
  expect(lost).toBeGreaterThan(0)
})
