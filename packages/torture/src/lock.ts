import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { SessionError } from '@mcp-session/core/backend'
import { type DiskPlace, diskBackendAt, diskFolder } from './disk-places.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { buildScript, startWriter } from './writer-process.ts'

/** Openers of a folder that has an owner. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function lock(plant?: string): Harness {
  return {
    name: 'lock',
    about: [
      'While one owns a store, others open it: another object of this process, a worker thread, another process, also after LOCK was removed; and after a',
      'kill -9 of the owner three processes at once. Never do two own it, and always one of the three does. Tries are openings.',
    ].join('\n  '),
    backends: ['file', 'leveldb'],
    variants: ['every-way'],
    tries: 500,
    async run(trial) {
      await using script = await buildScript(new URL('./lock-opener.ts', import.meta.url))
      await using folder = await diskFolder()
      return await tryAll(trial, { backend: trial.backend, folder: folder.path, plant }, script.path)
    },
  }
}

async function tryAll(trial: Trial, place: DiskPlace, script: string): Promise<Outcome> {
  const figures = { inThisProcess: 0, inWorkers: 0, inProcesses: 0, afterKills: 0 }
  const takeOvers: number[] = []
  let tried = 0

  /** Nobody but the owner may open it. */
  function refused(way: keyof typeof figures, answer: string): void {
    tried += 1
    figures[way] += 1
    if (answer === 'owner') trial.bad(`try ${tried}, ${way}: the store has two owners`)
    else if (answer !== 'locked') trial.bad(`try ${tried}, ${way}: the opener is not refused with LOCKED: ${answer}`)
  }

  async function besideOwner(): Promise<void> {
    refused('inThisProcess', await inThisProcess(place))
    refused('inWorkers', await inWorker(place, script))
    refused('inProcesses', await inProcess(place, script))
  }

  async function afterKill(): Promise<void> {
    const owner = await startOpener(place, script)
    if (owner.answer !== 'owner') trial.bad(`a free store is not opened: ${owner.answer}`)
    refused('inThisProcess', await inThisProcess(place))
    await owner.end()
    const since = performance.now()
    const openers = await Promise.all([1, 2, 3].map(() => startOpener(place, script)))
    takeOvers.push(performance.now() - since)
    tried += openers.length
    figures.afterKills += openers.length
    const answers = openers.map(({ answer }) => answer)
    if ([...answers].sort().join() !== 'locked,locked,owner') trial.bad(`three openers after a kill -9 answer ${answers.join()}`)
    await Promise.all(openers.map((opener) => opener.end()))
  }

  while (tried < trial.tries && !trial.isOver()) {
    const owner = diskBackendAt(place)
    await owner.open()
    try {
      await besideOwner()
      await rm(join(place.folder, 'store', 'LOCK'), { force: true })
      await besideOwner()
    } finally {
      await owner.close()
    }
    await afterKill()
    trial.progress(tried)
  }
  return { tried, measured: { ...figures, slowestTakeOverMs: Math.round(Math.max(0, ...takeOvers)) } }
}

async function inThisProcess(place: DiskPlace): Promise<string> {
  const backend = diskBackendAt(place)
  try {
    await backend.open()
    await backend.close()
    return 'owner'
  } catch (error) {
    return SessionError.is(error, 'MCP_SESSION_LOCKED') ? 'locked' : String(error)
  }
}

async function inWorker(place: DiskPlace, script: string): Promise<string> {
  const worker = new Worker(script, { workerData: JSON.stringify(place) })
  try {
    return await new Promise<string>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  } finally {
    await worker.terminate()
  }
}

async function inProcess(place: DiskPlace, script: string): Promise<string> {
  const opener = await startOpener(place, script)
  await opener.end()
  return opener.answer
}

interface Opener {
  readonly answer: string
  /** SIGKILL, where it still runs. */
  end(): Promise<void>
}

async function startOpener(place: DiskPlace, script: string): Promise<Opener> {
  const writer = startWriter(process.execPath, [script, JSON.stringify(place)])
  await writer.lines(1)
  return {
    answer: writer.heard().trim(),
    async end() {
      writer.child.kill('SIGKILL')
      await writer.ended
    },
  }
}
