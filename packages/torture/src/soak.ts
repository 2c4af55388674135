import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionBackend } from '@mcp-session/core/backend'
import { defaultTuning, fileBackendOn, nodeDisk, type Tuning } from '@mcp-session/file/internal'
import { memoryBackend } from '@mcp-session/memory'
import { diskBackendAt, diskBackends, diskFolder } from './disk-places.ts'
import { plantDiskBug } from './disk-plants.ts'
import { epoch } from './disk-states.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { type Holdings, holdingsOf } from './soak-holdings.ts'
import { type SoakSessions, soakSessions } from './soak-sessions.ts'

const minuteMs = 60_000
const momentsPerDay = 20
const batchesPerMoment = 8
const lastingIds = Array.from({ length: 20 }, (_, n) => `s_lasting_${n}`)
/** Others, each day anew. */
const idsPerDay = 280
const callsAtOnce = 16
/** What compiling and caches take once; until then nothing is compared. */
const warmUpDays = 2
/** Beside four times what lives: what an engine keeps of its own, its write-ahead log and what it has not compacted yet. */
const ownBytes: Readonly<Record<string, number>> = { memory: 0, file: 524_288, sqlite: 4_194_304, leveldb: 16_777_216 }

/** A day fills many segments, and each is large enough that compaction keeps up with days of a second. */
const tuning: Tuning = { ...defaultTuning, segmentBytes: 65_536, allocateBytes: 16_384, reserveBytes: 4_096, sliceBytes: 32_768 }

/** Months on a clock of its own. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function soak(plant?: string): Harness {
  return {
    name: 'soak',
    about: [
      'Days on a clock that jumps, also back: sessions are created, updated, touched, deleted, expired, swept, events appended and trimmed, and a model',
      'says what must be there. Nothing may grow beyond what lives: files, heap, descriptors, handles. Tries are days.',
    ].join('\n  '),
    backends: [...diskBackends, 'memory'],
    variants: ['days'],
    tries: 300,
    run: (trial) => liveThrough(trial, plant),
  }
}

async function liveThrough(trial: Trial, plant: string | undefined): Promise<Outcome> {
  await using folder = await diskFolder()
  const path = await realpath(folder.path)
  const backend = backendAt(trial.backend, path, plant)
  const sessions = soakSessions(backend, trial.random)
  const figures = { mostFileBytes: 0, mostLiveBytes: 0, heapGrownBytes: 0 }
  const day: Day = { number: 1, now: epoch }
  let start: Holdings | undefined
  for (; day.number <= trial.tries && !trial.isOver(); day.number += 1) {
    const told = (what: string) => trial.bad(`day ${day.number}: ${what}`)
    await backend.open()
    try {
      figures.mostLiveBytes = Math.max(figures.mostLiveBytes, await liveDay(sessions, day, trial.random, told))
    } catch (error) {
      told(`${error}`)
      break
    } finally {
      // Nothing else would be left of it.
      if (trial.backend !== 'memory') await backend.close()
    }
    const held = await holdingsOf(path)
    figures.mostFileBytes = Math.max(figures.mostFileBytes, held.fileBytes)
    const bar = (ownBytes[trial.backend] ?? 0) + 4 * figures.mostLiveBytes
    if (held.fileBytes > bar) told(`${held.fileBytes} bytes of files, and at most ${figures.mostLiveBytes} ever lived at once`)
    if (day.number === warmUpDays) start = held
    for (const what of growth(start ?? held, held)) told(what)
    figures.heapGrownBytes = Math.max(figures.heapGrownBytes, held.heapBytes - (start ?? held).heapBytes)
    trial.progress(day.number, `${sessions.calls} calls`)
  }
  await backend.close()
  return { tried: day.number - 1, measured: { calls: sessions.calls, hours: Math.round((day.now - epoch) / 60 / minuteMs), ...figures } }
}

interface Day {
  number: number
  now: number
}

/** Gives the most that lived at once. */
async function liveDay(sessions: SoakSessions, day: Day, random: () => number, told: (what: string) => void): Promise<number> {
  let mostBytes = 0
  for (let moment = 0; moment < momentsPerDay; moment += 1) {
    await liveMoment(sessions, day, random)
    mostBytes = Math.max(mostBytes, sessions.liveBytes(day.now))
    day.now += jump(random)
    if (random() < 0.3) for (const what of await sessions.sweep(day.now)) told(what)
    if (moment % 5 === 0) for (const what of await sessions.judge(day.now)) told(what)
  }
  // In the night all but the lasting ones end.
  day.now += 48 * 60 * minuteMs
  for (const what of [...(await sessions.sweep(day.now)), ...(await sessions.judge(day.now))]) told(what)
  return mostBytes
}

function backendAt(name: string, folder: string, plant: string | undefined): SessionBackend {
  const planted = plantDiskBug(plant, nodeDisk())
  if (name === 'memory') return planted.backend(memoryBackend())
  if (name !== 'file') return diskBackendAt({ backend: name, folder, durable: false, plant })
  return planted.backend(fileBackendOn(planted.disk, tuning, { path: join(folder, 'store'), durable: false, cacheBytes: 0 }))
}

/** Calls at one instant, several at once, each on a session of its own. */
async function liveMoment(sessions: SoakSessions, { number, now }: Day, random: () => number): Promise<void> {
  for (let batch = 0; batch < batchesPerMoment; batch += 1) {
    const ids = new Set<string>()
    while (ids.size < callsAtOnce) {
      const isLasting = random() < 0.1
      const lasting = lastingIds[Math.floor(random() * lastingIds.length)] ?? ''
      ids.add(isLasting ? lasting : `s_${number}_${Math.floor(random() * idsPerDay)}`)
    }
    await Promise.all([...ids].map((id) => sessions.act(id, now, lastingIds.includes(id))))
  }
}

function jump(random: () => number): number {
  const kind = random()
  if (kind < 0.1) return 180 * minuteMs
  if (kind < 0.2) return -10 * minuteMs
  return Math.floor(random() * 20 * minuteMs)
}

/** What a closed store has left in the process since `start`, in sentences. */
function growth(start: Holdings, held: Holdings): readonly string[] {
  const grown: string[] = []
  const heap = held.heapBytes - start.heapBytes
  if (heap > Math.max(0.05 * start.heapBytes, 3 * 1_048_576)) grown.push(`the heap has grown by ${heap} bytes, and nothing more lives`)
  if (held.descriptors > start.descriptors) grown.push(`${held.descriptors} descriptors are open, ${start.descriptors} were`)
  if (held.handles > start.handles) grown.push(`${held.handles} handles are open, ${start.handles} were`)
  return grown
}
