import { isDeepStrictEqual } from 'node:util'
import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import type { PutAside } from '@mcp-session/file'
import { fileBackendOn } from '@mcp-session/file/internal'
import { plantReadingBug } from './bitflip-plants.ts'
import { flippedTuning, segmentsIn, storeOfEveryFrame } from './bitflip-store.ts'
import { diskCall } from './disk-states.ts'
import { type FileFrame, segmentHeaderBytes } from './file-frames.ts'
import { askState, stateAfter, type WholeState } from './file-log-states.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { type FolderContent, type MemoryFolder, memoryFolder } from './memory-folder.ts'
import { shuffle } from './random.ts'

/** Bits of a closed file that turn over. `plant`: a bug for the harness to find, see `bitflip-plants.ts`. */
export function bitflip(plant?: string): Harness {
  return {
    name: 'bitflip',
    about: [
      'Every bit of the manifest and of a log that has every kind of frame is flipped, one at a time: strict refuses with file and offset, or finds a torn',
      'write; salvage opens, reports it, and has everything but what the hit frame said. Tries are bits.',
    ].join('\n  '),
    backends: ['file'],
    variants: ['closed', 'killed'],
    tries: 1_000_000,
    run: (trial) => flipEach(trial, plant),
  }
}

/** What a flip hits, and what must be left then. */
interface Part {
  readonly name: string
  /** `[from, to)` of the file. */
  readonly from: number
  readonly to: number
  readonly what: 'manifest' | 'header' | 'frame' | 'room'
  /** Nothing says that it had been on disk: it may be a write that a crash cut short. */
  readonly mayBeTorn: boolean
  /** The session that the frame is about, and what is left of it. */
  readonly hit?: { readonly id: string; readonly state: WholeState }
}

interface Flip {
  readonly part: Part
  readonly at: number
  readonly bit: number
  readonly files: FolderContent
  readonly plant: string | undefined
  bad(what: string): void
}

type Answers = ReadonlyMap<string, Awaited<ReturnType<typeof askState>>>

async function flipEach(trial: Trial, plant: string | undefined): Promise<Outcome> {
  const isClosed = trial.variant === 'closed'
  const files = await storeOfEveryFrame(isClosed ? 'closed' : 'killed')
  const parts = partsOf(files, isClosed)
  const intact = await readIntact(files)
  const flips = parts.flatMap((part) =>
    Array.from({ length: (part.to - part.from) * 8 }, (_, n) => ({ part, at: part.from + (n >> 3), bit: n % 8 })),
  )
  shuffle(flips, trial.random)
  const hits = { manifest: 0, header: 0, frame: 0, room: 0 }
  const figures = { refused: 0, torn: 0, roomReported: 0 }
  let tried = 0
  for (const { part, at, bit } of flips) {
    if (tried >= trial.tries || trial.isOver()) break
    tried += 1
    hits[part.what] += 1
    const flipped = Buffer.from(files.get(part.name) ?? '')
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at)
    const bad = (what: string) => trial.bad(`bit ${bit} of byte ${at} of ${part.name}, ${part.what}: ${what}`)
    const flip: Flip = { part, at, bit, files: new Map([...files, [part.name, flipped]]), plant, bad }
    const strict = await judgeStrict(flip, intact)
    if (strict !== 'opened') figures[strict] += 1
    const isReported = await judgeSalvage(flip, intact)
    if (part.what === 'room' && isReported) figures.roomReported += 1
    if (tried % 1_000 === 0) trial.progress(tried)
  }
  return { tried, measured: { bits: flips.length, ...hits, ...figures } }
}

/** The zeros behind the last frame of a segment carry nothing: they are the room for more of them. */
function partsOf(files: FolderContent, isClosed: boolean): readonly Part[] {
  const segments = segmentsIn(files)
  const all = segments.flatMap(({ frames }) => frames)
  const manifest: Part = { name: 'manifest', from: 0, to: files.get('manifest')?.length ?? 0, what: 'manifest', mayBeTorn: false }
  return [manifest, ...segments.flatMap(({ name, frames }) => partsIn(name, frames))]

  function partsIn(name: string, frames: readonly FileFrame[]): readonly Part[] {
    const last = frames.at(-1)
    const isOpenEnd = !isClosed && name === segments.at(-1)?.name
    const header: Part = { name, from: 0, to: segmentHeaderBytes, what: 'header', mayBeTorn: false }
    const room = { name, from: last?.end ?? segmentHeaderBytes, to: files.get(name)?.length ?? 0, mayBeTorn: true }
    const hits = frames.map((frame): Part => {
      const left = all.filter((other) => other.id === frame.id && other !== frame)
      const mayBeTorn = isOpenEnd && (frame === last || (last?.synced ?? 0) < frame.number)
      const hit = { id: frame.id, state: stateAfter(left) }
      return { name, from: frame.at, to: frame.end, what: 'frame', mayBeTorn, hit }
    })
    return [header, ...hits, { ...room, what: 'room' }]
  }
}

/** What the store answers before anything is flipped: the same as its frames say, or this harness reads them wrongly. */
async function readIntact(files: FolderContent): Promise<Answers> {
  const frames = segmentsIn(files).flatMap((segment) => segment.frames)
  const { backend } = fileOn(memoryFolder(files), 'strict')
  await backend.open()
  try {
    const answers = new Map<string, Awaited<ReturnType<typeof askState>>>()
    for (const id of new Set(frames.map((frame) => frame.id))) {
      const answer = await askState(backend, id)
      const told = stateAfter(frames.filter((frame) => frame.id === id))
      if (!isDeepStrictEqual(answer.state, told)) throw new Error(`${id}: the store says ${show(answer.state)}, its frames ${show(told)}`)
      answers.set(id, answer)
    }
    return answers
  } finally {
    await backend.close()
  }
}

/** Refuses with file and offset and changes nothing; only what may be torn it takes for a torn write, puts aside and reports. */
async function judgeStrict(flip: Flip, intact: Answers): Promise<'refused' | 'torn' | 'opened'> {
  const { part, at, bad } = flip
  const folder = memoryFolder(flip.files)
  const { backend, asides } = fileOn(folder, 'strict', flip.plant)
  try {
    await backend.open()
  } catch (error) {
    const offset = SessionError.is(error, 'MCP_SESSION_CORRUPT') ? Number(/offset (\d+)/.exec(error.message)?.[1]) : Number.NaN
    const isNamed = SessionError.is(error) && error.message.includes(`/${part.name} `) && offset <= at
    if (!isNamed) bad(`strict refuses with ${error}`)
    if (part.what === 'room') bad(`strict refuses a flip that hits nothing: ${error}`)
    if (!isDeepStrictEqual(folder.files(), flip.files)) bad('strict refuses, and has changed the folder')
    return 'refused'
  }
  try {
    if (!part.mayBeTorn) bad(`strict opens, and reports ${show(asides)}`)
    await judgeStates(flip, intact, backend, 'strict')
    if (part.what === 'frame') judgeReport(flip, folder, asides, 'torn')
  } finally {
    await backend.close()
  }
  return part.what === 'frame' ? 'torn' : 'opened'
}

/** Opens, with all but what the hit frame said, and reports where the flip was. */
async function judgeSalvage(flip: Flip, intact: Answers): Promise<boolean> {
  const { part, at, bit, bad } = flip
  const folder = memoryFolder(flip.files)
  const { backend, asides } = fileOn(folder, 'salvage', flip.plant)
  try {
    await backend.open()
    await judgeStates(flip, intact, backend, 'salvage')
    if (part.what !== 'room') judgeReport(flip, folder, asides, part.mayBeTorn ? 'torn' : 'damaged')
  } catch (error) {
    bad(`salvage fails with ${error}`)
  } finally {
    await backend.close()
  }
  // It costs another opening: once a byte.
  if (bit === at % 8) await judgeAgain(flip, intact, folder)
  return asides.length > 0
}

/** Salvaged, the store is sound. What was torn stays in its segment, and is told as long as nothing is written. */
async function judgeAgain(flip: Flip, intact: Answers, folder: MemoryFolder): Promise<void> {
  const { backend, asides } = fileOn(folder, 'strict', flip.plant)
  try {
    await backend.open()
    await judgeStates(flip, intact, backend, 'strict after salvage')
    if (asides.some(({ kind }) => kind === 'damaged')) flip.bad(`salvaged, the store still reports ${show(asides)}`)
  } catch (error) {
    flip.bad(`salvaged, the store does not open: ${error}`)
  } finally {
    await backend.close()
  }
}

async function judgeStates({ part, bad }: Flip, intact: Answers, backend: SessionBackend, mode: string): Promise<void> {
  for (const [id, { state, trimmed }] of intact) {
    const found = await askState(backend, id)
    const wanted = id === part.hit?.id ? part.hit.state : state
    if (!isDeepStrictEqual(found.state, wanted)) bad(`${mode} says of ${id} ${show(found.state)}, and what is left is ${show(wanted)}`)
    if (id !== part.hit?.id && found.trimmed !== trimmed) bad(`${mode} says of ${id} that trimmed is ${found.trimmed}`)
  }
  const { records } = await backend.list({ limit: 1_000 }, diskCall())
  const live = [...intact].filter(([id, { state }]) => (id === part.hit?.id ? part.hit.state : state) !== null)
  const [listed, wanted] = [records.map(({ id }) => id).toSorted(), live.map(([id]) => id).toSorted()]
  if (!isDeepStrictEqual(listed, wanted)) bad(`${mode} lists ${listed}, and there are ${wanted}`)
}

/** The flip lies in a part that was put aside, and its copy has it. */
function judgeReport({ part, at, files, bad }: Flip, folder: MemoryFolder, asides: readonly PutAside[], kind: PutAside['kind']): void {
  const found = asides.find(({ file, offset, bytes }) => file === part.name && offset <= at && at < offset + bytes)
  if (found === undefined) {
    bad(`it is not in the report: ${show(asides)}`)
    return
  }
  if (found.kind !== kind) bad(`it is reported as ${found.kind}, not as ${kind}`)
  const copy = folder.files().get(found.copy ?? '')
  if (copy?.[at - found.offset] !== files.get(part.name)?.[at]) bad(`the copy ${found.copy} has not the bytes that were put aside`)
}

function fileOn(
  folder: MemoryFolder,
  damage: 'strict' | 'salvage',
  plant?: string,
): { readonly backend: SessionBackend; readonly asides: PutAside[] } {
  const asides: PutAside[] = []
  const onOpen = ({ putAside }: { readonly putAside: readonly PutAside[] }) => void asides.push(...putAside)
  const backend = fileBackendOn(plantReadingBug(plant, folder), flippedTuning, { path: '/store', cacheBytes: 0, damage, onOpen })
  return { backend, asides }
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 300)
}
