// A process, or a worker thread of one, that takes and gives free the lock of a folder when it is told to.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { SessionError } from '../../src/errors.ts'
import { type FolderLock, lockFolder } from '../../src/folder-lock.ts'

export interface LockTask {
  readonly do: 'lock' | 'lock in a thread' | 'end the thread' | 'assert' | 'release'
  readonly folder: string
}

export interface LockAnswer {
  readonly got: boolean
  readonly code?: string
  readonly message?: string
}

let lock: FolderLock | undefined
let worker: Worker | undefined

async function perform(task: LockTask): Promise<void> {
  if (task.do === 'lock') lock = await lockFolder(task.folder)
  else if (task.do === 'assert') lock?.assertHeld()
  else await lock?.release()
}

function answer(task: LockTask): Promise<LockAnswer> {
  return perform(task).then(
    () => ({ got: true }),
    (error: unknown) => ({ got: false, message: String(error), ...(SessionError.is(error) ? { code: error.code } : {}) }),
  )
}

async function inThread(task: LockTask): Promise<LockAnswer> {
  if (task.do === 'end the thread') {
    await worker?.terminate()
    return { got: true }
  }
  worker ??= startWorker()
  const answered = new Promise<LockAnswer>((resolve) => worker?.once('message', resolve))
  worker.postMessage({ ...task, do: 'lock' })
  return await answered
}

/** Node 20 does not pass the TypeScript loader on to worker threads. */
function startWorker(): Worker {
  const [loader, script] = [import.meta.resolve('tsx/esm/api'), import.meta.url].map((url) => JSON.stringify(url))
  return new Worker(`import(${loader}).then(({ register }) => { register(); return import(${script}) })`, { eval: true })
}

if (isMainThread) {
  process.on('message', (task: LockTask) => {
    const answered = task.do.includes('thread') ? inThread(task) : answer(task)
    answered.then((value) => process.send?.(value)).catch(() => process.exit(1))
  })
  // Otherwise it would end as soon as it has nothing to do.
  process.channel?.ref()
  process.send?.('ready')
} else {
  parentPort?.on('message', (task: LockTask) => {
    answer(task)
      .then((value) => parentPort?.postMessage(value))
      .catch(() => process.exit(1))
  })
}
