import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { diskLedger } from './disk-ledger.ts'
import { type DiskFolder, diskBackendAt, diskBackends, diskFolder } from './disk-places.ts'
import { sweptId } from './disk-steps.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { judgeReopened } from './reopened.ts'
import { requireStrace, straceArgs } from './strace.ts'
import { buildScript, startWriter, type WriterProcess } from './writer-process.ts'

/** System calls that change what is on a disk, or open what will be changed. */
const diskCalls = [
  'write',
  'pwrite64',
  'writev',
  'pwritev',
  'fsync',
  'fdatasync',
  'rename',
  'unlink',
  'ftruncate',
  'fallocate',
  'openat',
  'mkdir',
  'link',
]
const ids: readonly string[] = ['s_0', 's_1', 's_2', sweptId]

export interface CrashpointOptions {
  /** Writes of the script. */
  readonly steps?: number
  /** A bug for the harness to find, see `disk-plants.ts`. */
  readonly plant?: string | undefined
  /** The system calls at which it is killed. */
  readonly at?: readonly string[]
}

/** A script that is killed at each of its system calls in turn. */
export function crashpoints({ steps = 200, plant, at = diskCalls }: CrashpointOptions = {}): Harness {
  return {
    name: 'crashpoints',
    about: [
      `A script of ${steps} writes with sweeps, compactions and 3 reopens is killed at the n-th call of each system call that changes its files, for all n:`,
      'reopened, each session is as it was acknowledged last, or as the write under way would leave it. Needs strace. Tries are points.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['every-call'],
    tries: 100_000,
    async run(trial) {
      await requireStrace()
      await using folder = await diskFolder()
      await using script = await buildScript(new URL('./disk-writer.ts', import.meta.url))
      return await killAtEach(trial, { folder, script: script.path, steps, plant, at })
    },
  }
}

interface Course {
  readonly folder: DiskFolder
  readonly script: string
  readonly steps: number
  readonly plant: string | undefined
  readonly at: readonly string[]
}

async function killAtEach(trial: Trial, course: Course): Promise<Outcome> {
  const points: Point[] = []
  const counts = await countCalls(trial, course)
  for (const call of course.at) for (let n = 1; n <= (counts[call] ?? 0); n += 1) points.push({ call, n })
  // In a random order, a budget sees all kinds of them.
  for (let last = points.length - 1; last > 0; last -= 1) {
    const other = Math.floor(trial.random() * (last + 1))
    const [one, two] = [points[last], points[other]]
    if (one !== undefined && two !== undefined) [points[last], points[other]] = [two, one]
  }
  const figures = { killed: 0, finished: 0, acknowledged: 0 }
  let tried = 0
  for (const point of points) {
    if (tried >= trial.tries || trial.isOver()) break
    tried += 1
    await killAt(trial, course, point, figures)
    trial.progress(tried, `${point.call} ${point.n} of ${points.length} points`)
  }
  return { tried, measured: { points: points.length, ...figures, ...counts } }
}

interface Point {
  readonly call: string
  /** Counted by thread: there is one thread of the pool, and the main one, and both are counted. */
  readonly n: number
}

/** The writer on a folder of its own, under strace that watches its files only. */
async function killAt(
  trial: Trial,
  course: Course,
  { call, n }: Point,
  figures: { killed: number; finished: number; acknowledged: number },
): Promise<void> {
  const folder = join(course.folder.path, `${call}-${n}`)
  await mkdir(folder)
  const ledger = diskLedger(ids)
  try {
    const writer = startStraced(trial, course, folder, ['-e', `inject=${call}:signal=SIGKILL:when=${n}`])
    const { stderr, code } = await writer.ended
    ledger.hear(await writer.told)
    figures.acknowledged += ledger.acknowledged
    if (ledger.finished) figures.finished += 1
    else if (code === 137 || code === null) figures.killed += 1
    else trial.bad(`${call} ${n}: the writer ended with code ${code}: ${stderr.slice(0, 500)}`)
    await judgeReopened(diskBackendAt({ backend: trial.backend, folder }), ledger, (what) => trial.bad(`${call} ${n}: ${what}`))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function startStraced(trial: Trial, { script, steps, plant, at }: Course, folder: string, options: readonly string[]): WriterProcess {
  const place = JSON.stringify({ backend: trial.backend, folder, plant })
  const writer = [
    process.execPath,
    script,
    `--place=${place}`,
    `--ids=${ids}`,
    `--seed=${trial.seed}`,
    `--steps=${steps}`,
    '--name=w',
    '--reopens=3',
  ]
  const watched = ['-e', `trace=${at}`, ...options]
  // `when` counts by thread, so there is to be but one that writes.
  return startWriter('strace', [...straceArgs(trial.backend, folder), ...watched, ...writer], { UV_THREADPOOL_SIZE: '1' })
}

/** The most calls that one thread makes of each kind: `when` counts by thread. */
async function countCalls(trial: Trial, course: Course): Promise<Readonly<Record<string, number>>> {
  const folder = join(course.folder.path, 'counted')
  const log = join(course.folder.path, 'calls')
  await mkdir(folder)
  const writer = startStraced(trial, course, folder, ['-o', log])
  const ledger = diskLedger(ids)
  const { stderr } = await writer.ended
  ledger.hear(await writer.told)
  if (!ledger.finished) throw new Error(`the script does not end by itself under strace: ${stderr.slice(0, 500)}`)
  const byThread = new Map<string, number>()
  for (const line of (await readFile(log, 'utf8')).split('\n')) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? []
    if (thread !== undefined && call !== undefined) byThread.set(`${call} ${thread}`, (byThread.get(`${call} ${thread}`) ?? 0) + 1)
  }
  const most: Record<string, number> = {}
  for (const [key, count] of byThread) {
    const call = key.split(' ')[0] ?? ''
    most[call] = Math.max(most[call] ?? 0, count)
  }
  return most
}
