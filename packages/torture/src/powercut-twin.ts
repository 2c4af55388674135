import { setTimeout as timePasses } from 'node:timers/promises'
import type { SessionBackend } from '@mcp-session/core/backend'
import { fileBackendOn, type Tuning } from '@mcp-session/file/internal'
import { contentAfterCut, cutFates, isAnythingUnsynced } from './cut-fates.ts'
import { diskLedger } from './disk-ledger.ts'
import { plantDiskBug } from './disk-plants.ts'
import { type DiskState, isSameState, readState } from './disk-states.ts'
import { diskStep, sweptId } from './disk-steps.ts'
import { NotRun, type Outcome, type Trial } from './harness.ts'
import { type DiskContent, type DiskOperation, type RecordedDisk, recordedDisk } from './recorded-disk.ts'

const ids: readonly string[] = ['s_0', 's_1', 's_2', 's_3', sweptId]
/** Of each session, between an opening and a closing. */
const stepsPerOpening = 32
const openings = 2
const fatesPerCut = 4
/** Segments so small that a course compacts many. Relaxed: a timer of as long, begun later, runs later; so what was acknowledged before it is synced behind it. */
const tuning: Tuning = { segmentBytes: 4_096, allocateBytes: 1_024, reserveBytes: 512, sliceBytes: 512, syncAfterMs: 1 }

/** What was done, and how to judge a store after a cut before operation `end`. */
interface Course {
  readonly operations: readonly DiskOperation[]
  judge(backend: SessionBackend, end: number): Promise<readonly string[]>
}

/** Several sessions at once, durable. */
export function cutTwin(trial: Trial, plant: string | undefined): Promise<Outcome> {
  return cutCourses(trial, true, () => durableCourse(trial, plant))
}

/** One write after the other, and now and then time passes. */
export function cutRelaxedTwin(trial: Trial, plant: string | undefined): Promise<Outcome> {
  return cutCourses(trial, false, () => relaxedCourse(trial, plant))
}

async function cutCourses(trial: Trial, durable: boolean, newCourse: () => Promise<Course>): Promise<Outcome> {
  if (trial.backend !== 'file') throw new NotRun(`${trial.backend} writes to no disk of ours`)
  const figures = { courses: 0, compacted: 0, states: 0, inRecovery: 0 }
  let tried = 0
  while (tried < trial.tries && !trial.isOver()) {
    const course = await newCourse()
    figures.courses += 1
    figures.compacted += course.operations.filter((each) => each.do === 'unlink' && each.name.endsWith('.log')).length
    for (const end of inRandomOrder(course.operations.length + 1, trial.random)) {
      if (tried >= trial.tries || trial.isOver()) break
      tried += 1
      const fates = cutFates(fatesPerCut, trial.random)
      for (const fate of isAnythingUnsynced(course.operations, end) ? fates : fates.slice(0, 1)) {
        const content = contentAfterCut(new Map(), course.operations, end, fate)
        const recovery = await openAfterCut(trial, { course, end, durable, content })
        figures.states += 1
        if (recovery.length === 0) continue
        // The power goes again while the store is recovered.
        const at = Math.floor(trial.random() * (recovery.length + 1))
        const [other] = cutFates(1, trial.random).slice(-1)
        if (other === undefined) continue
        await openAfterCut(trial, { course, end, durable, content: contentAfterCut(content, recovery, at, other) })
        figures.inRecovery += 1
      }
      trial.progress(tried, `course ${figures.courses}`)
    }
  }
  return { tried, measured: figures }
}

interface Cut {
  readonly course: Course
  readonly end: number
  readonly durable: boolean
  readonly content: DiskContent
}

/** Gives what opening and closing did to the disk. */
async function openAfterCut(trial: Trial, { course, end, durable, content }: Cut): Promise<readonly DiskOperation[]> {
  const disk = recordedDisk(content)
  const backend = fileOn(disk, durable)
  const where = `cut before operation ${end} (${course.operations[end]?.do ?? 'the end'})`
  try {
    await backend.open()
    for (const what of await course.judge(backend, end)) trial.bad(`${where}: ${what}`)
  } catch (error) {
    trial.bad(`${where}: the store does not open: ${error}`)
  } finally {
    await backend.close()
  }
  return disk.operations
}

async function durableCourse(trial: Trial, plant: string | undefined): Promise<Course> {
  const disk = recordedDisk()
  const told: { readonly at: number; readonly line: string }[] = []
  const tell = (line: object) => told.push({ at: disk.operations.length, line: `${JSON.stringify(line)}\n` })

  async function write(backend: SessionBackend, id: string, name: string): Promise<void> {
    let now = await readState(backend, id)
    for (let n = 0; n < stepsPerOpening; n += 1) {
      const step = diskStep(id, now, `${name}.${n}`, trial.random)
      tell({ begins: id, next: step.next })
      await step.run(backend)
      tell({ done: id })
      now = step.next
    }
  }

  for (let opened = 0; opened < openings; opened += 1) {
    const backend = fileOn(disk, true, plant)
    await backend.open()
    await Promise.all(ids.map((id) => write(backend, id, `${id}.${opened}`)))
    await backend.close()
  }
  return {
    operations: disk.operations,
    judge(backend, end) {
      const ledger = diskLedger(ids)
      ledger.hear(
        told
          .filter(({ at }) => at <= end)
          .map(({ line }) => line)
          .join(''),
      )
      return ledger.judge(backend)
    },
  }
}

async function relaxedCourse(trial: Trial, plant: string | undefined): Promise<Course> {
  const disk = recordedDisk()
  /** After each write; the first one: before all. */
  const states: (readonly DiskState[])[] = [ids.map(() => null)]
  /** How many operations there were when the write began, and when time enough had passed behind it. */
  const begun: number[] = []
  const passed: number[] = []
  for (let opened = 0; opened < openings; opened += 1) {
    const backend = fileOn(disk, false, plant)
    await backend.open()
    for (let n = 0; n < stepsPerOpening * ids.length; n += 1) {
      const place = n % ids.length
      const before = states.at(-1) ?? []
      const step = diskStep(ids[place] ?? '', before[place] ?? null, `${opened}.${n}`, trial.random)
      begun.push(disk.operations.length)
      await step.run(backend)
      states.push(before.map((state, other) => (other === place ? step.next : state)))
      if (trial.random() > 0.2) continue
      await timePasses(tuning.syncAfterMs)
      while (passed.length < begun.length) passed.push(disk.operations.length)
    }
    await backend.close()
    while (passed.length < begun.length) passed.push(disk.operations.length)
  }
  return {
    operations: disk.operations,
    async judge(backend, end) {
      const found: DiskState[] = []
      for (const id of ids) found.push(await readState(backend, id))
      const least = passed.filter((at) => at <= end).length
      const most = begun.filter((at) => at <= end).length
      for (let n = least; n <= most; n += 1) {
        if (states[n]?.every((state, place) => isSameState(state, found[place] ?? null))) return []
      }
      const isEarlier = states.slice(0, least).some((all) => all.every((state, place) => isSameState(state, found[place] ?? null)))
      const what = isEarlier ? 'older writes than those of its window are gone' : 'no prefix of the writes leads there'
      return [`not as after ${least} to ${most} writes, but ${JSON.stringify(found)}: ${what}`]
    },
  }
}

function fileOn(disk: RecordedDisk, durable: boolean, plant?: string): SessionBackend {
  const planted = plantDiskBug(plant, disk)
  return planted.backend(fileBackendOn(planted.disk, tuning, { path: '/store', durable, cacheBytes: 0 }))
}

function inRandomOrder(count: number, random: () => number): readonly number[] {
  const numbers = Array.from({ length: count }, (_, n) => ({ n, rank: random() }))
  return numbers.toSorted((one, other) => one.rank - other.rank).map(({ n }) => n)
}
