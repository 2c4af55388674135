import type { SessionBackend } from '@mcp-session/core/backend'
import { defaultTuning, fileBackendOn, type Tuning } from '@mcp-session/file/internal'
import { diskCall, epoch, eventOf, recordOf, sweptAt } from './disk-states.ts'
import { sweptId } from './disk-steps.ts'
import { type FileFrame, framesOf } from './file-frames.ts'
import { type FolderContent, memoryFolder } from './memory-folder.ts'

/** So small that the store has several segments, and copies what lives of the first ones. */
export const flippedTuning: Tuning = { ...defaultTuning, segmentBytes: 4_096, allocateBytes: 1_024, reserveBytes: 512, sliceBytes: 512 }

/** What must be in the log, so that a bit of each of them is flipped. */
const kinds = [
  'create',
  'create with an owner',
  'create without an owner',
  'replace',
  'moved record',
  'touch',
  'delete',
  'delete by a sweep',
  'append',
  'append that trims',
  'restore',
  'moved event log',
]

const retention = { maxEvents: 3, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 2 ** 30 }
const never = Number.POSITIVE_INFINITY

/** A store with frames of every kind: `closed`, or left by a process that was `killed`. Throws where a kind is missing. */
export async function storeOfEveryFrame(end: 'closed' | 'killed'): Promise<FolderContent> {
  const folder = memoryFolder(new Map())
  const backend = fileBackendOn(folder, flippedTuning, { path: '/store', cacheBytes: 0 })
  await backend.open()
  await early(backend)
  for (let n = 0; folder.files().has('00000001.log') && n < 500; n += 1) await replaced(backend, 's_busy', n)
  await late(backend)
  const killed = new Map([...folder.files()].map(([name, bytes]) => [name, Buffer.from(bytes)]))
  await backend.close()
  const files = end === 'killed' ? killed : folder.files()
  const found = new Set(segmentsIn(files).flatMap(({ frames }) => frames.flatMap(kindsOf)))
  const missing = kinds.filter((kind) => !found.has(kind))
  if (missing.length > 0) throw new Error(`the log has no ${missing.join(', no ')}`)
  return files
}

/** The segments in their order. */
export function segmentsIn(files: FolderContent): readonly { readonly name: string; readonly frames: readonly FileFrame[] }[] {
  const names = [...files.keys()].filter((name) => name.endsWith('.log')).toSorted()
  return names.map((name) => ({ name, frames: framesOf(files.get(name) ?? Buffer.alloc(0)) }))
}

/** Sessions that live on, among others that become garbage: compaction carries them over. */
async function early(backend: SessionBackend): Promise<void> {
  for (const id of ['s_old', 's_events', 's_busy']) await backend.create(recordOf(id, `${id}.early`, null, epoch, never), diskCall())
  for (let n = 1; n <= 6; n += 1) await backend.events?.append('s_events', eventOf('s_events', n), retention, diskCall())
  await backend.touch({ id: 's_old', rev: 's_old.early', lastAccessedAt: epoch + 5, expiresAt: never }, diskCall())
}

async function replaced(backend: SessionBackend, id: string, n: number): Promise<void> {
  const prevRev = n === 0 ? `${id}.early` : `${id}.${n - 1}`
  await backend.replace(recordOf(id, `${id}.${n}`, prevRev, epoch, never), prevRev, diskCall())
}

async function late(backend: SessionBackend): Promise<void> {
  for (const id of ['s_0', 's_1', 's_gone']) await backend.create(recordOf(id, `${id}.first`, null, epoch, never), diskCall())
  await backend.create({ ...recordOf('s_free', 's_free.first', null, epoch, never), owner: null }, diskCall())
  await backend.create(recordOf(sweptId, 'swept', null, epoch, sweptAt), diskCall())
  await backend.replace(recordOf('s_0', 's_0.second', 's_0.first', epoch, never), 's_0.first', diskCall())
  for (let n = 1; n <= 5; n += 1) await backend.events?.append('s_1', eventOf('s_1', n), retention, diskCall())
  await backend.touch({ id: 's_0', rev: 's_0.second', lastAccessedAt: epoch + 7, expiresAt: never }, diskCall())
  const events = [1, 2, 3].map((n) => ({ ...eventOf('s_0', n), sequence: n + 10, createdAt: epoch }))
  await backend.events?.restore('s_0', { events, last: 20, trimmed: true }, diskCall())
  await backend.delete('s_gone', undefined, diskCall())
  await backend.deleteExpired(10, diskCall(sweptAt))
  await backend.touch({ id: 's_1', rev: 's_1.first', lastAccessedAt: epoch + 9, expiresAt: never }, diskCall())
}

function kindsOf({ id, says }: FileFrame): readonly string[] {
  switch (says.what) {
    case 'create':
      return ['create', says.record.owner === null ? 'create without an owner' : 'create with an owner']
    case 'moved':
      return ['moved record']
    case 'delete':
      return ['delete', ...(id === sweptId ? ['delete by a sweep'] : [])]
    case 'events':
      if (says.isWhole) return ['moved event log']
      if (says.events.length > 1) return ['restore']
      return ['append', ...(says.dropped.length > 0 ? ['append that trims'] : [])]
    default:
      return [says.what]
  }
}
