import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { diskBackendAt, diskBackends } from './disk-places.ts'
import { contentOfRev, diskCall, epoch, recordOf } from './disk-states.ts'
import { type Harness, NotRun, type Outcome, type Trial } from './harness.ts'

const run = promisify(execFile)
/** How soon writes go on once there is space. */
const resumesWithinMs = 1_000

/** A disk that is full, and then is not. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function enospc(plant?: string): Harness {
  return {
    name: 'enospc',
    about: [
      'On a disk of 4 MiB records are written until it is full, and on: a refusal is typed, all that was acknowledged stays. File can delete; once',
      'there is space, writes go on within 1 s without a restart. Needs root for a tmpfs. Tries are fillings.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['fill'],
    tries: 20,
    async run(trial) {
      let tried = 0
      const figures = { acknowledged: 0, refused: 0, deletedWhileFull: 0, deletesRefused: 0, resumedMs: 0 }
      while (tried < trial.tries && !trial.isOver()) {
        await using disk = await smallDisk()
        await fill(trial, disk, plant, figures)
        tried += 1
        trial.progress(tried)
      }
      return { tried, measured: figures } satisfies Outcome
    },
  }
}

interface SmallDisk extends AsyncDisposable {
  readonly path: string
  resize(bytes: number): Promise<void>
}

async function smallDisk(): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'mcp-session-small-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'mcp-session-torture', path])
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    throw new NotRun(`no tmpfs can be mounted here: ${error instanceof Error ? error.message : error}`)
  }
  return {
    path,
    async resize(bytes) {
      await run('mount', ['-o', `remount,size=${bytes}`, path])
    },
    async [Symbol.asyncDispose]() {
      await run('umount', [path])
      await rm(path, { recursive: true, force: true })
    },
  }
}

type Figures = { acknowledged: number; refused: number; deletedWhileFull: number; deletesRefused: number; resumedMs: number }

async function fill(trial: Trial, disk: SmallDisk, plant: string | undefined, figures: Figures): Promise<void> {
  const place = { backend: trial.backend, folder: disk.path, plant, fullSize: true }
  const acknowledged = new Set<string>()
  const deleted = new Set<string>()
  const backend = diskBackendAt(place)
  await backend.open()
  try {
    // LevelDB keeps writing for longer, as its log grows in pages.
    for (let n = 0, refused = 0; n < 9_000 && refused < 10; n += 1) {
      if (await isWritten(trial, backend, `s_${n}`, acknowledged)) continue
      refused += 1
      figures.refused += 1
    }
    if (figures.refused === 0) trial.bad('9,000 records fit on a full disk')
    for (const id of [...acknowledged].slice(0, 5)) {
      try {
        if (await backend.delete(id, undefined, diskCall())) deleted.add(id)
        figures.deletedWhileFull += 1
      } catch (error) {
        judgeRefusal(trial, backend, `delete of ${id}`, error)
        // The reserve of `file`; SQLite and LevelDB have none.
        if (trial.backend === 'file') trial.bad(`delete of ${id} on a full disk fails with ${error}`)
        figures.deletesRefused += 1
        // Whether it was made is not known, unless it is said.
        acknowledged.delete(id)
      }
    }
    await readAll(trial, backend, acknowledged, deleted, 'while the disk is full')
    await disk.resize(16 * 1024 * 1024)
    const since = performance.now()
    for (let n = 0; !(await isWritten(trial, backend, `s_after_${n}`, acknowledged)); n += 1) {
      if (performance.now() - since <= resumesWithinMs) continue
      trial.bad(`writes are refused ${Math.round(performance.now() - since)} ms after there was space`)
      break
    }
    figures.resumedMs = Math.max(figures.resumedMs, Math.round(performance.now() - since))
    await readAll(trial, backend, acknowledged, deleted, 'with space again')
  } finally {
    await backend.close()
  }
  const { plant: _, ...honest } = place
  const reopened = diskBackendAt(honest)
  await reopened.open()
  try {
    await readAll(trial, reopened, acknowledged, deleted, 'after a reopening')
  } finally {
    await reopened.close()
  }
  figures.acknowledged += acknowledged.size
}

async function isWritten(trial: Trial, backend: SessionBackend, id: string, acknowledged: Set<string>): Promise<boolean> {
  try {
    await backend.create(recordOf(id, `${id}.1`, null, epoch, Number.POSITIVE_INFINITY), diskCall())
    acknowledged.add(id)
    return true
  } catch (error) {
    judgeRefusal(trial, backend, `create of ${id}`, error)
    return false
  }
}

function judgeRefusal(trial: Trial, backend: SessionBackend, what: string, error: unknown): void {
  const code = SessionError.is(error) ? error.code : backend.classify(error)?.code
  if (code !== 'MCP_SESSION_LIMIT' && code !== 'MCP_SESSION_UNAVAILABLE') trial.bad(`${what} on a full disk fails with ${code ?? error}`)
}

async function readAll(
  trial: Trial,
  backend: SessionBackend,
  acknowledged: ReadonlySet<string>,
  deleted: ReadonlySet<string>,
  when: string,
): Promise<void> {
  for (const id of acknowledged) {
    const found = await backend.get(id, diskCall()).catch((error: unknown) => String(error))
    const isRight = deleted.has(id) ? found === undefined : typeof found === 'object' && found.data === contentOfRev(`${id}.1`)
    if (!isRight) trial.bad(`${when}, ${id}${deleted.has(id) ? ', which was deleted,' : ''} is ${JSON.stringify(found)?.slice(0, 200)}`)
  }
}
