import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk } from './disk.ts'
import type { Skip } from './segment.ts'

export const manifestName = 'manifest'
const draftName = 'manifest.new'
const format = 1
const blockBytes = 4_096
const tag = 'mcp-session-file '

/** Which files are the store. */
export interface Manifest {
  /** Random bytes, hex: part of every checksum of the store. */
  readonly secret: string
  /** In the order of their frames; only the last one is written to. None: nothing was written yet. */
  readonly segments: readonly SegmentEntry[]
  /** Offset behind the last frame when the store was closed. Absent: it was not closed. */
  readonly closedAt?: number
}

export interface SegmentEntry {
  readonly number: number
  /** Offset behind its last frame. Absent: it is the one that is written to. */
  readonly end?: number
  readonly skips: readonly Skip[]
}

/** What the bytes of a manifest say. `damaged`: one of its two copies is; where both are, there is no manifest. */
export type ManifestFound = { readonly manifest: Manifest; readonly damaged: boolean } | 'newer' | 'damaged'

/** Replaces the manifest: afterwards, and after a crash at any point, it is the old one or the new one. */
export async function swapManifest(disk: Disk, folder: string, manifest: Manifest): Promise<void> {
  const draft = join(folder, draftName)
  await removeDraft(disk, folder)
  const file = await disk.create(draft, 'writes')
  try {
    await file.write(formatManifest(manifest), 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(draft, join(folder, manifestName))
  await disk.syncFolder(folder)
}

/** Removes what an earlier process, or an earlier failure, left. */
async function removeDraft(disk: Disk, folder: string): Promise<void> {
  try {
    await disk.unlink(join(folder, draftName))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

export function formatManifest(manifest: Manifest): Buffer {
  const json = JSON.stringify({ format, ...manifest })
  const line = Buffer.from(`${tag}${sumOf(json)} ${json}\n`)
  const block = Buffer.alloc(Math.ceil(line.length / blockBytes) * blockBytes, '\n')
  line.copy(block)
  return Buffer.concat([block, block])
}

export function parseManifest(bytes: Buffer): ManifestFound {
  const copies: string[] = []
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const end = bytes.indexOf('\n', at)
    const json = jsonIn(bytes.toString('utf8', at, end === -1 ? bytes.length : end))
    if (json !== undefined) copies.push(json)
  }
  const values: readonly unknown[] = copies.map((json) => JSON.parse(json))
  const value = values.find(isManifest)
  if (value === undefined) return values.some(isNewer) ? 'newer' : 'damaged'
  const { secret, segments, closedAt } = value
  const manifest = closedAt === undefined ? { secret, segments } : { secret, segments, closedAt }
  return { manifest, damaged: !bytes.equals(formatManifest(manifest)) }
}

function jsonIn(line: string): string | undefined {
  const json = line.slice(tag.length + 9)
  return line === `${tag}${sumOf(json)} ${json}` ? json : undefined
}

function sumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

function isManifest(value: unknown): value is Manifest {
  const fields = fieldsOf(value)
  const segments: unknown = fields['segments']
  const isSecret = typeof fields['secret'] === 'string' && /^[0-9a-f]{64}$/.test(fields['secret'])
  return fields['format'] === format && isSecret && Array.isArray(segments)
}

function isNewer(value: unknown): boolean {
  return Number(fieldsOf(value)['format']) > format
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
