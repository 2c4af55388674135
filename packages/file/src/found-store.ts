import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { contentOf, type Disk } from './disk.ts'
import { corrupt, errorCode, newerFormat } from './file-errors.ts'
import { frameAt } from './frame.ts'
import { type Manifest, manifestName, parseManifest, type SegmentEntry } from './manifest.ts'
import { numberIn, secretBytes, segmentHeader, segmentHeaderBytes, segmentName } from './segment.ts'
import type { Aside } from './set-aside.ts'

/** What a folder names as its store. */
export interface FoundStore {
  readonly manifest: Manifest
  readonly isNew: boolean
  readonly nextNumber: number
  /** Files that a crash left, and that are no part of the store. */
  readonly leftovers: readonly string[]
  readonly asides: readonly Aside[]
}

interface Search {
  readonly disk: Disk
  readonly folder: string
  readonly damage: 'strict' | 'salvage'
  readonly secret: Buffer
}

/** Reads the manifest, and looks at every segment that it does not name. Changes nothing. */
export async function findStore(search: Search): Promise<FoundStore> {
  const { disk, folder } = search
  const numbers = (await disk.list(folder)).map(numberIn).filter((number) => number !== undefined)
  const { manifest, isNew, asides } = await findManifest(
    search,
    numbers.toSorted((a, b) => a - b),
  )
  const named = new Set(manifest.segments.map(({ number }) => number))
  const oldest = Math.min(...named)
  const extra: SegmentEntry[] = []
  const leftovers: string[] = []
  for (const number of numbers.filter((each) => !named.has(each)).toSorted((a, b) => a - b)) {
    // Older ones were retired; a newer one that was not named yet has no frame.
    if (number > oldest && (await hasFrame(search, number, manifest.secret))) extra.push(...unnamed(search, number))
    else leftovers.push(segmentName(number))
  }
  const segments = [...manifest.segments, ...extra]
  const nextNumber = Math.max(0, ...numbers, ...named) + 1
  return { manifest: extra.length === 0 ? manifest : { secret: manifest.secret, segments }, isNew, nextNumber, leftovers, asides }
}

async function findManifest(
  { disk, folder, damage, secret }: Search,
  numbers: readonly number[],
): Promise<{ readonly manifest: Manifest; readonly isNew: boolean; readonly asides: readonly Aside[] }> {
  const path = join(folder, manifestName)
  const bytes = await contentAt(disk, path)
  if (bytes === undefined && numbers.length === 0)
    return { manifest: { secret: secret.toString('hex'), segments: [] }, isNew: true, asides: [] }
  const found = bytes === undefined ? 'damaged' : parseManifest(bytes)
  if (found === 'newer') throw newerFormat(path)
  const aside: Aside = { name: manifestName, offset: 0, bytes: bytes ?? Buffer.alloc(0), kind: 'damaged', lost: 0 }
  if (found !== 'damaged' && !found.damaged) return { manifest: found.manifest, isNew: false, asides: [] }
  if (damage === 'strict') {
    throw corrupt(
      `${path} is damaged at offset 0: restore a backup, or open the store with damage: 'salvage', which keeps all that is not damaged`,
    )
  }
  const manifest = found === 'damaged' ? await manifestOfSegments(disk, folder, numbers) : found.manifest
  return { manifest, isNew: false, asides: [aside] }
}

/** Every segment has the secret. What is not known without a manifest is which of them were retired already. */
async function manifestOfSegments(disk: Disk, folder: string, numbers: readonly number[]): Promise<Manifest> {
  for (const number of numbers) {
    const header = (await contentAt(disk, join(folder, segmentName(number))))?.subarray(0, segmentHeaderBytes)
    const secret = header?.subarray(18, 18 + secretBytes) ?? Buffer.alloc(0)
    if (secret.length !== secretBytes || !header?.equals(segmentHeader(number, secret))) continue
    return { secret: secret.toString('hex'), segments: numbers.map((each) => ({ number: each, skips: [] })) }
  }
  throw corrupt(`${folder} has no undamaged manifest and no undamaged segment: restore a backup; nothing was changed`)
}

async function hasFrame({ disk, folder }: Search, number: number, secret: string): Promise<boolean> {
  const bytes = await contentAt(disk, join(folder, segmentName(number)))
  if (bytes === undefined) return false
  return frameAt(bytes, segmentHeaderBytes, bytes.length, crc32(Buffer.from(secret, 'hex'))) !== undefined
}

function unnamed({ folder, damage }: Search, number: number): SegmentEntry[] {
  if (damage === 'salvage') return [{ number, skips: [] }]
  throw corrupt(
    `${join(folder, segmentName(number))} has frames at offset ${segmentHeaderBytes}, but the manifest does not name it: restore the newest manifest, or open the store with damage: 'salvage'`,
  )
}

/** `undefined`: there is no file of that name. */
async function contentAt(disk: Disk, path: string): Promise<Buffer | undefined> {
  try {
    const file = await disk.open(path, 'reading')
    try {
      return await contentOf(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
