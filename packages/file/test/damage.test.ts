import { type SessionBackend, SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { expect, it } from 'vitest'
import type { OpenReport } from '../src/index.ts'
import { fileBackendOn } from '../src/internal.ts'
import { anyRetention, call, epoch, failed, newRecord, small } from './fixtures.ts'
import { memoryDisk } from './memory-disk.ts'

const patience = { timeout: 300_000 }
type Files = ReadonlyMap<string, Buffer>

/** Sizes with which everything stays in the segment that it was written to. */
const still = { ...small, segmentBytes: 1024 * 1024 }

interface Written {
  readonly files: Files
  readonly records: readonly SessionRecord[]
  /** Offset behind the last frame of the last segment. */
  readonly end: number
}

/** A store of one segment that has a frame of every type, in the way of a killed process: it was never closed. */
async function killedStore(): Promise<Written> {
  const disk = memoryDisk()
  const backend = fileBackendOn(disk, still, { path: '/store' })
  await backend.open()
  const records: SessionRecord[] = []
  for (let n = 0; n < 4; n += 1) {
    const first = newRecord({ owner: n % 2 === 0 ? `owner ${n}` : null, data: `{"n":${n},"text":"${'ÿ'.repeat(10)}"}` })
    await backend.create(first, call())
    const second = { ...first, rev: `${first.rev}.2`, prevRev: first.rev, data: `{"n":${n}}` }
    await backend.replace(second, first.rev, call())
    await backend.events?.append(first.id, { key: 'k1', stream: 'a', data: 'one' }, anyRetention, call())
    await backend.events?.append(first.id, { key: 'k2', stream: 'a', data: 'two' }, { ...anyRetention, maxEvents: 1 }, call())
    await backend.touch({ id: first.id, rev: second.rev, lastAccessedAt: epoch + 5, expiresAt: epoch + 60_005 }, call())
    records.push({ ...second, lastAccessedAt: epoch + 5, expiresAt: epoch + 60_005 })
  }
  const gone = newRecord()
  await backend.create(gone, call())
  await backend.delete(gone.id, undefined, call())
  const files = new Map([...disk.files()].map(([name, bytes]) => [name, Buffer.from(bytes)]))
  const last = files.get('00000001.log') ?? Buffer.alloc(0)
  return { files, records, end: last.findLastIndex((byte) => byte !== 0) + 1 }
}

async function openOn(
  files: Files,
  damage: 'strict' | 'salvage',
): Promise<{ readonly backend: SessionBackend; readonly report: OpenReport; readonly files: Map<string, Buffer> }> {
  const disk = memoryDisk(files)
  let report: OpenReport | undefined
  const backend = fileBackendOn(disk, still, {
    path: '/store',
    damage,
    onOpen: (found) => {
      report = found
    },
  })
  await backend.open()
  if (report === undefined) throw new Error('open does not report')
  return { backend, report, files: disk.files() }
}

/** Every version that a session of the script ever had, but for its instants. */
function isVersion(record: SessionRecord, { records }: Written): boolean {
  const last = records.find(({ id }) => id === record.id)
  if (last === undefined) return record.data === '{}'
  const isLast = record.rev === last.rev && record.prevRev === last.prevRev && record.data === last.data
  const isFirst = record.rev === last.prevRev && record.prevRev === null && record.data.startsWith(last.data.slice(0, -1))
  return (isLast || isFirst) && record.owner === last.owner
}

it('a log that ends anywhere gives its longest valid prefix, and says what is missing', patience, async () => {
  const written = await killedStore()
  const bytes = written.files.get('00000001.log') ?? Buffer.alloc(0)
  let before = 0
  for (let length = 0; length <= written.end; length += 1) {
    const { backend, report } = await openOn(new Map([...written.files, ['00000001.log', bytes.subarray(0, length)]]), 'strict')
    const { records } = await backend.list({ limit: 100 }, call())
    for (const record of records) expect(isVersion(record, written), `length ${length}`).toBe(true)
    // A longer file never shows less, but for the session that the last frame deletes.
    if (length < written.end) expect(records.length).toBeGreaterThanOrEqual(before)
    before = records.length
    const isWhole = report.putAside.length === 0
    const torn = report.putAside[0]
    if (!isWhole) expect(torn).toMatchObject({ kind: 'torn', file: '00000001.log' })
    // Zeros at the end of what is torn cannot be told from zeros that were allocated.
    if (!isWhole && length >= 64) expect((torn?.offset ?? 0) + (torn?.bytes ?? 0)).toBeLessThanOrEqual(length)
    await backend.close()
  }
  expect(before).toBe(4)
})

it('a flipped bit anywhere is reported, never read as another value, and costs no other record', patience, async () => {
  const written = await killedStore()
  for (const [name, bytes] of written.files) {
    const end = name === 'manifest' ? bytes.length : written.end + 40
    for (let at = 0; at < end; at += 1) {
      // The manifest is mostly line feeds.
      if (name === 'manifest' && at % 4_096 > 300 && at % 97 !== 0) continue
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
      const files = new Map([...written.files, [name, flipped]])
      const refusal: unknown = await openOn(files, 'strict').then(
        async ({ backend, report }) => {
          await backend.close()
          return report.putAside.length
        },
        (error: unknown) => error,
      )
      // Refused with its place, or recognized as the end of a torn write.
      if (typeof refusal === 'number') expect(refusal, `${name} at ${at}`).toBeGreaterThan(0)
      else expect(SessionError.is(refusal) && refusal.code, `${name} at ${at}: ${String(refusal)}`).toMatch(/CORRUPT|SCHEMA/)
      const { backend, report, files: after } = await openOn(files, 'salvage')
      expect(report.putAside.length, `${name} at ${at}`).toBeGreaterThan(0)
      const { records } = await backend.list({ limit: 100 }, call())
      for (const record of records) expect(isVersion(record, written), `${name} at ${at}`).toBe(true)
      // One flip hits one frame: at most one session is lost or older, or the deleted one is there again.
      const intact = written.records.filter((last) =>
        records.some(({ id, rev, expiresAt }) => id === last.id && rev === last.rev && expiresAt === last.expiresAt),
      )
      expect(intact.length, `${name} at ${at}`).toBeGreaterThanOrEqual(3)
      await backend.close()
      // What was put aside is no damage any more.
      const again = await openOn(after, 'strict')
      expect(again.report.putAside).toEqual([])
      await again.backend.close()
    }
  }
})

it('a payload that imitates frames is never taken for one, not even behind damage', async () => {
  const written = await killedStore()
  const stolen = (written.files.get('00000001.log') ?? Buffer.alloc(0)).subarray(64, written.end)
  const disk = memoryDisk()
  const backend = fileBackendOn(disk, still, { path: '/store' })
  await backend.open()
  // Frames of another store, byte for byte; no text can be that, but an older release or another writer might be.
  await backend.create(newRecord({ id: 's_victim', data: stolen.toString('latin1') }), call())
  await backend.create(newRecord({ id: 's_next' }), call())
  const log = Buffer.from(disk.files().get('00000001.log') ?? Buffer.alloc(0))
  stolen.copy(log, 64 + 200)
  const { backend: salvaged } = await openOn(new Map([...disk.files(), ['00000001.log', log]]), 'salvage')
  const { records } = await salvaged.list({ limit: 100 }, call())
  expect(records.map(({ id }) => id)).toEqual(['s_next'])
  await salvaged.close()
  await backend.close()
})

it('refuses a newer format and changes nothing', async () => {
  const { files } = await killedStore()
  const { formatManifest, parseManifest } = await import('../src/manifest.ts')
  const { crc32 } = await import('node:zlib')
  const found = parseManifest(files.get('manifest') ?? Buffer.alloc(0))
  if (typeof found === 'string') throw new Error(found)
  const line = formatManifest(found.manifest).toString('utf8').split('\n')[0] ?? ''
  const json = line.slice(line.indexOf('{')).replace('"format":1', '"format":2')
  const newerManifest = Buffer.from(`mcp-session-file ${crc32(json).toString(16).padStart(8, '0')} ${json}\n`)
  const header = Buffer.from(files.get('00000001.log') ?? Buffer.alloc(0))
  header.writeUInt32BE(2, 8)
  header.writeUInt32BE(crc32(header.subarray(0, 60)), 60)
  for (const [name, bytes] of [
    ['manifest', newerManifest],
    ['00000001.log', header],
  ] as const) {
    for (const damage of ['strict', 'salvage'] as const) {
      const disk = memoryDisk(new Map([...files, [name, bytes]]))
      await failed(fileBackendOn(disk, still, { path: '/store', damage }).open(), 'MCP_SESSION_SCHEMA')
      expect(disk.operations).toEqual([])
    }
  }
})

/** A store of several segments, closed. */
async function closedStore(): Promise<{ readonly files: Files; readonly older: Files; readonly records: readonly SessionRecord[] }> {
  const disk = memoryDisk()
  const records = Array.from({ length: 30 }, () => newRecord({ data: 'x'.repeat(500) }))
  let older: Files = new Map()
  const backend = fileBackendOn(disk, { ...small, segmentBytes: 8_192 }, { path: '/store' })
  await backend.open()
  for (const [n, record] of records.entries()) {
    await backend.create(record, call())
    if (n === 5) older = new Map([...disk.files()].map(([name, bytes]) => [name, Buffer.from(bytes)]))
  }
  await backend.close()
  return { files: disk.files(), older, records }
}

it('an older copy, an empty file, a missing file and files that changed places are refused, and salvaged without a wrong value', async () => {
  const { files, older, records } = await closedStore()
  const [first, second] = ['00000001.log', '00000002.log'].map((name) => files.get(name) ?? Buffer.alloc(0))
  const without = new Map(files)
  without.delete('00000001.log')
  const damaged: readonly (readonly [string, Files])[] = [
    ['an older copy of a segment', new Map([...files, ['00000001.log', older.get('00000001.log') ?? Buffer.alloc(0)]])],
    ['an empty segment', new Map([...files, ['00000001.log', Buffer.alloc(0)]])],
    ['a missing segment', without],
    [
      'segments that changed places',
      new Map([...files, ['00000001.log', second ?? Buffer.alloc(0)], ['00000002.log', first ?? Buffer.alloc(0)]]),
    ],
    ['an older manifest', new Map([...files, ['manifest', older.get('manifest') ?? Buffer.alloc(0)]])],
    ['a manifest of zeros', new Map([...files, ['manifest', Buffer.alloc(8_192)]])],
  ]
  for (const [what, found] of damaged) {
    const error = await failed(openOn(found, 'strict'), 'MCP_SESSION_CORRUPT')
    expect(error.message, what).toMatch(/offset \d+/)
    const { backend, report } = await openOn(found, 'salvage')
    const { records: left } = await backend.list({ limit: 100 }, call())
    for (const record of left) expect(records, what).toContainEqual(record)
    expect(left.length, what).toBeGreaterThan(records.length / 3)
    if (!what.includes('older manifest')) expect(report.putAside.length, what).toBeGreaterThan(0)
    await backend.close()
  }
})

it('a log that is written twice into one file keeps one, and the rest is put aside', async () => {
  const written = await killedStore()
  const bytes = written.files.get('00000001.log') ?? Buffer.alloc(0)
  const twice = Buffer.concat([bytes, bytes.subarray(0, written.end)])
  const { backend, report } = await openOn(new Map([...written.files, ['00000001.log', twice]]), 'strict')
  expect((await backend.list({ limit: 100 }, call())).records).toHaveLength(4)
  expect(report.putAside).toMatchObject([{ kind: 'torn', offset: written.end }])
  expect((await backend.health(call())).warnings).toMatchObject([{ code: 'file-torn' }])
  await backend.close()
})

it('a log that is shorter than it was when it was closed is damaged', async () => {
  const { name, files } = await closedLog()
  const short = new Map([...files, [name, (files.get(name) ?? Buffer.alloc(0)).subarray(0, 64)]])
  expect((await failed(openOn(short, 'strict'), 'MCP_SESSION_CORRUPT')).message).toMatch(/offset 64/)
  const { backend, report } = await openOn(short, 'salvage')
  expect(report.putAside).toMatchObject([{ kind: 'damaged', file: name, copy: undefined }])
  expect(report.putAside[0]?.missingBytes).toBeGreaterThan(500)
  await backend.close()
})

it('damage of the last frame is no torn write where the store was closed', async () => {
  const { name, files } = await closedLog()
  const bytes = Buffer.from(files.get(name) ?? Buffer.alloc(0))
  const last = bytes.findLastIndex((byte) => byte !== 0)
  bytes[last] = (bytes[last] ?? 0) ^ 1
  const flipped = new Map([...files, [name, bytes]])
  expect((await failed(openOn(flipped, 'strict'), 'MCP_SESSION_CORRUPT')).message).toMatch(/offset \d+/)
  const { backend, report } = await openOn(flipped, 'salvage')
  expect(report.putAside).toMatchObject([{ kind: 'damaged', file: name }])
  await backend.close()
})

/** A closed store, and the name of its last segment. */
async function closedLog(): Promise<{ readonly name: string; readonly files: Files }> {
  const { files } = await closedStore()
  const names = [...files.keys()].filter((each) => each.endsWith('.log'))
  return { name: names.toSorted().at(-1) ?? '', files }
}

it('damage that appears while the store is open is CORRUPT for that session, named in listings, and stops compaction', async () => {
  const disk = memoryDisk()
  const backend = fileBackendOn(disk, still, { path: '/store', cacheBytes: 0 })
  await backend.open()
  const [rotten, sound] = [newRecord({ data: 'rotten' }), newRecord()]
  await backend.create(rotten, call())
  await backend.create(sound, call())
  const log = disk.files().get('00000001.log') ?? Buffer.alloc(0)
  const at = log.indexOf('rotten')
  log[at] = (log[at] ?? 0) ^ 1
  const error = await failed(backend.get(rotten.id, call()), 'MCP_SESSION_CORRUPT')
  expect(error.message).toMatch(/00000001\.log .* offset \d+/)
  expect(error.message).not.toContain(rotten.id)
  expect(await backend.get(sound.id, call())).toEqual(sound)
  const { records } = await backend.list({ limit: 10 }, call())
  expect(records.map(({ id, expiresAt }) => [id, Number.isNaN(expiresAt)])).toEqual([
    [rotten.id, true],
    [sound.id, false],
  ])
  expect(await backend.delete(rotten.id, undefined, call())).toBe(true)
  await backend.close()
})
