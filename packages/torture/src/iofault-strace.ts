import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { diskLedger } from './disk-ledger.ts'
import { type DiskFolder, diskBackendAt, diskFolder } from './disk-places.ts'
import { sweptId } from './disk-steps.ts'
import type { CourseLine, Refusal } from './faulted-course.ts'
import type { Outcome, Trial } from './harness.ts'
import { shuffle } from './random.ts'
import { judgeReopened } from './reopened.ts'
import { requireStrace, straceArgs } from './strace.ts'
import { mostByThread, type TracedCall, tracedCalls } from './strace-log.ts'
import { buildScript } from './writer-process.ts'

const ids: readonly string[] = ['s_0', 's_1', sweptId]
/** Of each session, each time that the store is opened. */
const steps = 12
const failing = ['write', 'pwrite64', 'fsync', 'fdatasync', 'rename', 'openat']

interface Course {
  readonly folder: DiskFolder
  readonly script: string
  readonly plant: string | undefined
}

interface Fault {
  readonly call: string
  /** Counted by thread: each of them fails there. */
  readonly n: number
  readonly lasts: boolean
}

interface Figures {
  hit: number
  acknowledged: number
  refused: number
  openingsRefused: number
  /** Runs in which nothing more could be written after a single failure, each refusal typed. */
  notResumed: number
}

type Line = CourseLine | { readonly opening: Refusal } | { readonly closing: Refusal } | { readonly done: true }

/** A process whose calls of the system fail, one after the other. */
export async function failCalls(trial: Trial, plant: string | undefined, calls: readonly string[] = failing): Promise<Outcome> {
  await requireStrace()
  await using folder = await diskFolder()
  await using script = await buildScript(new URL('./fault-writer.ts', import.meta.url))
  const course: Course = { folder, script: script.path, plant }
  const counted = await runWriter(trial, course, 'counted', [])
  if (!counted.lines.some((line) => 'done' in line && line.done === true)) throw new Error(`the script does not end: ${counted.stderr}`)
  const counts = mostByThread(counted.calls)
  const faults = calls.flatMap((call) =>
    Array.from({ length: counts[call] ?? 0 }, (_, n) => [false, true].map((lasts) => ({ call, n: n + 1, lasts }))).flat(),
  )
  shuffle(faults, trial.random)
  const figures: Figures = { hit: 0, acknowledged: 0, refused: 0, openingsRefused: 0, notResumed: 0 }
  let tried = 0
  for (const fault of faults) {
    if (tried >= trial.tries || trial.isOver()) break
    tried += 1
    await failAt(trial, course, fault, figures)
    trial.progress(tried, `${fault.call} ${fault.n} of ${faults.length} failures`)
  }
  return { tried, measured: { faults: faults.length, ...figures } }
}

async function failAt(trial: Trial, course: Course, { call, n, lasts }: Fault, figures: Figures): Promise<void> {
  const bad = (what: string) => trial.bad(`${call} ${n} fails ${lasts ? 'for ever' : 'once'}: ${what}`)
  const { folder, lines, calls, code, stderr } = await runWriter(trial, course, `${call}-${n}-${lasts}`, [
    '-e',
    `inject=${call}:error=EIO:when=${n}${lasts ? '+' : ''}`,
  ])
  try {
    if (code !== 0) bad(`the process ends with code ${code}: ${stderr}`)
    if (calls.some(({ injected }) => injected)) figures.hit += 1
    for (const what of unsyncedIn(calls)) bad(what)
    const ledger = diskLedger(ids)
    for (const line of lines) {
      ledger.hear(`${JSON.stringify(line)}\n`)
      judgeLine(line, bad, figures)
    }
    figures.acknowledged += ledger.acknowledged
    const endsWith = (id: string) => lines.findLast((line) => isEndOf(line, id)) ?? {}
    if (!lasts && ids.some((id) => 'failed' in endsWith(id))) figures.notResumed += 1
    await judgeReopened(diskBackendAt({ backend: trial.backend, folder }), ledger, bad)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function judgeLine(line: Line, bad: (what: string) => void, figures: Figures): void {
  if ('failed' in line) figures.refused += 1
  if ('opening' in line) figures.openingsRefused += 1
  const refusal = 'opening' in line ? line.opening : 'closing' in line ? line.closing : 'says' in line ? line : undefined
  if (refusal === undefined || refusal.code === 'MCP_SESSION_UNAVAILABLE') return
  bad(`a failure of the disk is told as ${refusal.code ?? 'nothing known'}: ${refusal.says}`)
}

function isEndOf(line: Line, id: string): boolean {
  return ('done' in line && line.done === id) || ('failed' in line && line.failed === id)
}

/** Acknowledgements of writes since whose beginning no sync has come through. */
function unsyncedIn(calls: readonly TracedCall[]): readonly string[] {
  const unsynced = new Set<string>()
  const syncingFiles = new Set<string>()
  const wrong: string[] = []
  for (const { name, args, result, failed } of calls) {
    const [file = ''] = args.split(',')
    if (name === 'openat' && !failed) {
      if (args.includes('O_DSYNC')) syncingFiles.add(result)
      else syncingFiles.delete(result)
    }
    const isSync = /^f(data)?sync$/.test(name) || (name === 'pwrite64' && syncingFiles.has(file))
    if (isSync && !failed) unsynced.clear()
    const [, what, id = ''] = (name === 'writev' && /\\"(begins|done)\\":\\"(\w+)\\"/.exec(args)) || []
    if (what === 'begins') unsynced.add(id)
    if (what === 'done' && unsynced.has(id)) wrong.push(`a write to ${id} was acknowledged without a sync that came through`)
  }
  return wrong
}

interface Ran {
  readonly folder: string
  readonly lines: readonly Line[]
  readonly calls: readonly TracedCall[]
  readonly code: number | null
  readonly stderr: string
}

async function runWriter(trial: Trial, { folder, script, plant }: Course, name: string, options: readonly string[]): Promise<Ran> {
  const at = join(folder.path, name)
  const [told, log] = [join(folder.path, `${name}.told`), join(folder.path, `${name}.log`)]
  await mkdir(at)
  const place = JSON.stringify({ backend: trial.backend, folder: at, plant })
  const writer = [process.execPath, script, `--place=${place}`, `--ids=${ids}`, `--seed=${trial.seed}`, `--steps=${steps}`]
  const watched = ['-P', told, '-o', log, '-e', `trace=${[...failing, 'writev']}`, ...options]
  const { code, stderr } = await runTelling(told, 'strace', [...straceArgs(trial.backend, at), ...watched, ...writer])
  const lines = (await readFile(told, 'utf8')).split('\n').slice(0, -1)
  const calls = tracedCalls(await readFile(log, 'utf8'))
  await Promise.all([told, log].map((path) => rm(path)))
  return { folder: at, lines: lines.map((line) => JSON.parse(line)), calls, code, stderr: stderr.slice(0, 500) }
}

/** With a file as descriptor 3: strace can name it, and does not see it opened. */
async function runTelling(
  path: string,
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const file = await open(path, 'wx')
  try {
    // `when` counts by thread, so there is to be but one that writes.
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', file.fd], env })
    let stderr = ''
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    const [code] = await once(child, 'close')
    return { code, stderr }
  } finally {
    await file.close()
  }
}
