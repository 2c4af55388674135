import { type DiskContent, type DiskOperation, overwritten } from './recorded-disk.ts'

const sectorBytes = 512

/** How a power cut decides about what was not synced. Data and names are independent of each other. */
export interface CutFate {
  /** What of a write got to the disk: one answer for each sector that it touches. */
  write(): (sector: number) => boolean
  /** How many of so many changes of names did: the first ones, as the journal of a file system keeps their order. */
  names(changes: number): number
}

/** The four extremes, and so many that chance makes. */
export function cutFates(count: number, random: () => number): readonly CutFate[] {
  const all = () => () => true
  const none = () => () => false
  const extremes: CutFate[] = [all, none].flatMap((write) => [
    { write, names: () => 0 },
    { write, names: (changes) => changes },
  ])
  return [...extremes, ...Array.from({ length: count }, () => anyFate(random))]
}

function anyFate(random: () => number): CutFate {
  return {
    write() {
      const kind = random()
      if (kind < 0.25) return () => true
      if (kind < 0.5) return () => false
      // Torn: only its first sectors; or a disk that writes sectors in an order of its own.
      const kept = random() * 4
      return kind < 0.75 ? (sector) => sector < kept : () => random() < 0.5
    },
    names: (changes) => Math.floor(random() * (changes + 1)),
  }
}

/** Whether a cut before operation `end` leaves anything to fate. */
export function isAnythingUnsynced(operations: readonly DiskOperation[], end: number): boolean {
  const { isDurable } = durabilityAt(operations, end)
  return operations.slice(0, end).some((operation, index) => !isDurable(operation, index))
}

/** A legal content of a disk that held `content`, after the power was cut before operation `end`. */
export function contentAfterCut(content: DiskContent, operations: readonly DiskOperation[], end: number, fate: CutFate): DiskContent {
  const { isDurable } = durabilityAt(operations, end)
  const files: Buffer[] = [...content.values()].map((bytes) => Buffer.from(bytes))
  const names = new Map([...content.keys()].map((name, file) => [name, file]))
  const unsynced = operations.slice(0, end).filter((operation, index) => isNameChange(operation) && !isDurable(operation, index)).length
  let changesLeft = fate.names(unsynced)
  for (const [index, operation] of operations.slice(0, end).entries()) {
    if (operation.do === 'write') {
      const isKept = isDurable(operation, index) ? () => true : fate.write()
      for (const part of keptParts(operation, isKept)) {
        files[operation.file] = overwritten(files[operation.file] ?? Buffer.alloc(0), part.bytes, part.position)
      }
    } else if (isNameChange(operation)) {
      if (!isDurable(operation, index)) changesLeft -= 1
      if (changesLeft >= 0) changeName(names, operation)
    }
  }
  return new Map([...names].map(([name, file]) => [name, files[file] ?? Buffer.alloc(0)]))
}

function durabilityAt(operations: readonly DiskOperation[], end: number) {
  const lastSyncs = new Map<number | 'folder', number>()
  for (const [index, operation] of operations.slice(0, end).entries()) {
    if (operation.do === 'sync') lastSyncs.set(operation.file, index)
    if (operation.do === 'sync folder') lastSyncs.set('folder', index)
  }
  return {
    isDurable(operation: DiskOperation, index: number): boolean {
      if (operation.do === 'write') return (lastSyncs.get(operation.file) ?? -1) > index
      return !isNameChange(operation) || (lastSyncs.get('folder') ?? -1) > index
    },
  }
}

type NameChange = Extract<DiskOperation, { readonly do: 'create' | 'rename' | 'unlink' }>

function isNameChange(operation: DiskOperation): operation is NameChange {
  return operation.do === 'create' || operation.do === 'rename' || operation.do === 'unlink'
}

function changeName(names: Map<string, number>, change: NameChange): void {
  if (change.do === 'create') names.set(change.name, change.file)
  if (change.do === 'unlink') names.delete(change.name)
  if (change.do === 'rename') {
    const file = names.get(change.from)
    names.delete(change.from)
    if (file !== undefined) names.set(change.to, file)
  }
}

/** Sectors are those of the file: a write that begins within one shares it with what was there before. */
function keptParts({ bytes, position }: { readonly bytes: Buffer; readonly position: number }, isKept: (sector: number) => boolean) {
  const parts: { readonly bytes: Buffer; readonly position: number }[] = []
  for (let at = 0, sector = 0; at < bytes.length; sector += 1) {
    const end = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes))
    if (isKept(sector)) parts.push({ bytes: bytes.subarray(at, end), position: position + at })
    at = end
  }
  return parts
}
