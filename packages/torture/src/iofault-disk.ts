import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { defaultTuning, fileBackendOn, type Tuning } from '@mcp-session/file/internal'
import { type DiskLedger, diskLedger } from './disk-ledger.ts'
import { plantDiskBug } from './disk-plants.ts'
import { sweptId } from './disk-steps.ts'
import { type CourseLine, type Refusal, refusalOf, runFaulted } from './faulted-course.ts'
import { NotRun, type Outcome, type Trial } from './harness.ts'
import { type DiskOperation, type FolderContent, failure, memoryFolder } from './memory-folder.ts'
import { shuffle } from './random.ts'
import { judgeReopened } from './reopened.ts'

const ids: readonly string[] = ['s_0', 's_1', 's_2', sweptId]
const operations: readonly DiskOperation[] = ['create', 'open', 'write', 'sync', 'rename', 'unlink', 'sync folder']
/** Of each session, each time that the store is opened. */
const steps = 25
const tuning: Tuning = { ...defaultTuning, segmentBytes: 8_192, allocateBytes: 2_048, reserveBytes: 1_024, sliceBytes: 1_024 }

interface Fault {
  readonly operation: DiskOperation
  readonly n: number
  readonly lasts: boolean
}

interface Figures {
  acknowledged: number
  refused: number
  openingsRefused: number
}

/** Each operation on a disk in memory fails in turn; then a power cut takes what was not synced. */
export async function failDisk(trial: Trial, plant: string | undefined): Promise<Outcome> {
  if (trial.backend !== 'file') throw new NotRun(`${trial.backend} has no layer below it that could fail: see the variant strace`)
  const faults = await allFaults(trial)
  shuffle(faults, trial.random)
  const figures: Figures = { acknowledged: 0, refused: 0, openingsRefused: 0 }
  let tried = 0
  for (const fault of faults) {
    if (tried >= trial.tries || trial.isOver()) break
    tried += 1
    await failAt(trial, plant, fault, figures)
    if (tried % 20 === 0) trial.progress(tried)
  }
  return { tried, measured: { faults: faults.length, ...figures } }
}

/** Every operation that the script makes where nothing fails, once and for ever. */
async function allFaults(trial: Trial): Promise<Fault[]> {
  const counts = new Map<DiskOperation, number>()
  const folder = memoryFolder(new Map(), (operation) => counts.set(operation, (counts.get(operation) ?? 0) + 1))
  for (const name of ['first', 'second']) {
    const backend = fileBackendOn(folder, tuning, { path: '/store', cacheBytes: 0 })
    await backend.open()
    await runFaulted(backend, { ids, steps, seed: trial.seed, name }, () => {})
    await backend.close()
  }
  return operations.flatMap((operation) =>
    Array.from({ length: counts.get(operation) ?? 0 }, (_, n) => [false, true].map((lasts) => ({ operation, n: n + 1, lasts }))).flat(),
  )
}

async function failAt(trial: Trial, plant: string | undefined, fault: Fault, figures: Figures): Promise<void> {
  const { operation, n, lasts } = fault
  const bad = (what: string) => trial.bad(`${operation} ${n} fails ${lasts ? 'for ever' : 'once'}: ${what}`)
  let count = 0
  let hits = 0
  let isMended = false
  const folder = memoryFolder(new Map(), (each) => {
    if (each !== operation || isMended) return
    count += 1
    if (lasts ? count < n : count !== n) return
    hits += 1
    throw failure('EIO')
  })
  const { disk } = plantDiskBug(plant, folder)
  const [left, cut] = [diskLedger(ids), diskLedger(ids)]
  const begunLate = new Set<string>()

  /** A single failure is over before a write begins late; one that lasts, once it is mended. */
  function tell(line: CourseLine): void {
    for (const ledger of [left, cut]) ledger.hear(`${JSON.stringify(line)}\n`)
    if ('begins' in line) {
      if (lasts ? isMended : hits > 0) begunLate.add(line.begins)
      else begunLate.delete(line.begins)
    }
    if (!('says' in line)) return
    figures.refused += 1
    if ('unread' in line) bad(`reading ${line.unread} fails with ${line.says}`)
    else if (begunLate.has(line.failed)) bad(`a write to ${line.failed} that began later fails with ${line.says}`)
    judgeRefusal(line, bad)
  }

  async function opened(): Promise<SessionBackend> {
    const backend = fileBackendOn(disk, tuning, { path: '/store', cacheBytes: 0 })
    try {
      await backend.open()
    } catch (error) {
      figures.openingsRefused += 1
      if (!SessionError.is(error)) bad(`opening fails with ${error}`)
      judgeRefusal(refusalOf(backend, error), bad)
      isMended = lasts
      await backend.open().catch((again: unknown) => bad(`opening still fails with ${again}`))
    }
    return backend
  }

  const first = await opened()
  await runFaulted(first, { ids, steps, seed: trial.seed, name: 'first' }, tell)
  await first.close().catch((error: unknown) => judgeRefusal(refusalOf(first, error), bad))
  const second = await opened()
  await runFaulted(second, { ids, steps, seed: trial.seed, name: 'second' }, tell)
  isMended = true
  await runFaulted(second, { ids, steps: 3, seed: trial.seed, name: 'mended' }, tell)
  const afterCut = folder.afterPowerCut()
  await second.close().catch((error: unknown) => bad(`closing fails with ${error} once the disk is mended`))
  figures.acknowledged += left.acknowledged
  await judge(afterCut, cut, (what) => bad(`after a power cut, ${what}`))
  await judge(folder.files(), left, (what) => bad(`reopened, ${what}`))
}

function judgeRefusal({ code, says }: Refusal, bad: (what: string) => void): void {
  if (code !== 'MCP_SESSION_UNAVAILABLE') bad(`a failure of the disk is told as ${code ?? 'nothing known'}: ${says}`)
}

function judge(files: FolderContent, ledger: DiskLedger, bad: (what: string) => void): Promise<void> {
  return judgeReopened(fileBackendOn(memoryFolder(files), tuning, { path: '/store', cacheBytes: 0 }), ledger, bad)
}
