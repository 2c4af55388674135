import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { SqliteDatabase } from './driver.ts'

/** Writes the log back into the file, on a thread of its own: on the caller's it stops the event loop for up to 60 ms (measured). */
export interface Checkpointer {
  /** A transaction was committed. */
  written(): void
  /**
   * Where the log has become long: resolves once the thread has written it back, if whoever writes waits for that. Without such a break
   * there is always something that is not written back yet, the log never begins anew, and ends at the backstop. `undefined`: go on.
   * It always resolves, soon: a thread that does not answer is not waited for. One writer waits at a time.
   */
  catchUp(): Promise<void> | undefined
  /** Bytes of the log that are not written back, at the last look: what some reader holds on to. 0: nothing, or not known. */
  heldBytes(): number
  /** Ends the thread, and with it its connection. */
  close(): Promise<void>
}

/** What both threads share, so that neither waits for the event loop of the other: whether a checkpoint is due, and the pages at the last one. */
const isDue = 0
const logged = 1
const written = 2

const everyMs = 100
/** A backend that writes little needs no thread: SQLite writes the log back by itself at 1,000 pages. */
const startsAfter = 256
/** While the thread runs, the caller's connection writes the log back only beyond this many pages (64 MiB): if the thread cannot. */
const backstopPages = 16_384
/** From this many on (16 MiB) writers make a break: in the time between two looks they do not get to the backstop. */
const longPages = 4_096
/** Some 20 ms are usual; what takes longer than this goes on while there are writes. */
const longestBreakMs = 500
/** Of a page in the log, beside the page. */
const frameHeaderBytes = 24

/** Starts nothing yet. The thread never keeps the process alive. */
export function checkpointer(database: SqliteDatabase, durable: boolean): Checkpointer {
  const driver = driverPath()
  const pageBytes = Number(database.pragma('page_size', { simple: true })) + frameHeaderBytes
  const shared = new Int32Array(new SharedArrayBuffer(12))
  let worker: Worker | undefined
  let isOver = driver === undefined
  let commits = 0
  let breakAtPages = longPages
  let goOn: () => void = () => {}

  function start(path: string): Worker {
    const workerData = { driver: path, file: database.name, durable, everyMs, shared }
    const started = new Worker(program, { eval: true, workerData, execArgv: [] })
    // Without the thread everything goes on, as SQLite does it by itself.
    started.on('message', writtenBack)
    started.on('error', () => stopped(started))
    started.on('exit', () => stopped(started))
    // Last: a listener of messages keeps the process alive.
    started.unref()
    setLimit(backstopPages)
    return started
  }

  function stopped(ended: Worker): void {
    if (worker !== ended) return
    worker = undefined
    isOver = true
    shared.fill(0)
    setLimit(1_000)
    endBreak(0)
  }

  function writtenBack(): void {
    const pages = Atomics.load(shared, logged)
    // A reader that holds on to the log is not waited for again and again.
    if (pages > Atomics.load(shared, written)) endBreak(pages)
    else {
      Atomics.store(shared, logged, 0)
      endBreak(0)
    }
  }

  /** The next one comes when the log has grown from that many pages on. */
  function endBreak(fromPages: number): void {
    breakAtPages = fromPages + longPages
    goOn()
  }

  function setLimit(pages: number): void {
    if (database.open) database.pragma(`wal_autocheckpoint = ${pages}`)
  }

  return {
    written() {
      commits += 1
      if (isOver || commits < startsAfter || Atomics.exchange(shared, isDue, 1) === 1) return
      if (driver !== undefined) worker ??= start(driver)
      worker?.postMessage('written')
    },
    catchUp() {
      const thread = worker
      if (thread === undefined || Atomics.load(shared, logged) < breakAtPages) return undefined
      return new Promise((resolve) => {
        // It keeps the process alive meanwhile, which the thread does not.
        const timer = setTimeout(() => endBreak(Atomics.load(shared, logged)), longestBreakMs)
        goOn = () => {
          clearTimeout(timer)
          resolve()
        }
        thread.postMessage('catch up')
      })
    },
    heldBytes() {
      const pages = Atomics.load(shared, logged)
      return pages > Atomics.load(shared, written) ? pages * pageBytes : 0
    },
    async close() {
      isOver = true
      const ending = worker
      if (ending === undefined) return
      worker = undefined
      // Otherwise the process could end while this is awaited.
      ending.ref()
      const ended = new Promise((resolve) => {
        ending.once('exit', resolve)
      })
      ending.postMessage('close')
      await ended
    },
  }
}

/** The driver of this thread: another copy would have other locks on the file. Bundled, it cannot be named, and there is no thread. */
function driverPath(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('better-sqlite3')
  } catch {
    return undefined
  }
}

/** Runs in the thread. PASSIVE waits for nobody and keeps nobody waiting. */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const Database = require(workerData.driver)
const database = new Database(workerData.file, { timeout: 0, fileMustExist: true })
database.pragma('synchronous = ' + (workerData.durable ? 'FULL' : 'NORMAL'))
if (workerData.durable) database.pragma('checkpoint_fullfsync = ON')
let timer
function checkpoint() {
  timer = undefined
  Atomics.store(workerData.shared, 0, 0)
  try {
    const [{ log, checkpointed }] = database.pragma('wal_checkpoint(PASSIVE)')
    Atomics.store(workerData.shared, 2, checkpointed)
    Atomics.store(workerData.shared, 1, log)
  } catch {}
}
parentPort.on('message', (message) => {
  if (message === 'written') {
    timer ??= setTimeout(checkpoint, workerData.everyMs)
    return
  }
  clearTimeout(timer)
  if (message === 'catch up') {
    checkpoint()
    parentPort.postMessage('caught up')
    return
  }
  database.close()
  parentPort.close()
})
`
