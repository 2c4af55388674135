// A process, or a worker thread of one, that opens a store, or the bare database, when it is told to.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import type { SessionBackend } from '@mcp-session/core/backend'
import { SessionError } from '@mcp-session/core/backend'
import { ClassicLevel } from 'classic-level'
import { leveldbBackend } from '../../src/index.ts'

export interface OpenerTask {
  readonly do: 'open' | 'open in a thread' | 'open bare' | 'write' | 'write for ever'
  readonly path: string
}

export interface OpenerAnswer {
  readonly did: boolean
  readonly code?: string
  readonly message?: string
  /** Of a session that was created, and whose creation was acknowledged. */
  readonly id?: string
}

let backend: SessionBackend | undefined
let made = 0

async function perform(task: OpenerTask): Promise<OpenerAnswer> {
  if (task.do === 'open') {
    const opening = leveldbBackend({ path: task.path })
    await opening.open()
    backend = opening
    return { did: true }
  }
  if (task.do === 'open bare') {
    await new ClassicLevel(task.path).open()
    return { did: true }
  }
  if (task.do === 'write') return { did: true, id: await create() }
  for (;;) process.send?.({ did: true, id: await create() })
}

async function create(): Promise<string> {
  made += 1
  const now = 1_000_000
  const id = `s_${process.pid}_${made}`
  const times = { createdAt: now, lastAccessedAt: now, ttlMs: 60_000, mustEndAt: Number.POSITIVE_INFINITY, expiresAt: now + 60_000 }
  const call = { now, deadlineAt: performance.now() + 20_000 }
  await backend?.create({ id, rev: `r${made}`, prevRev: null, owner: 'o', ...times, data: id }, call)
  const unbounded = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
  await backend?.events?.append(id, { key: 'k', stream: 'a', data: id }, unbounded, call)
  return id
}

function answer(task: OpenerTask): Promise<OpenerAnswer> {
  return perform(task).catch((error: unknown) => ({
    did: false,
    message: String(error),
    ...(SessionError.is(error) ? { code: error.code } : {}),
  }))
}

/** Node 20 does not pass the TypeScript loader on to worker threads. */
async function inThread(task: OpenerTask): Promise<OpenerAnswer> {
  const [loader, script] = [import.meta.resolve('tsx/esm/api'), import.meta.url].map((url) => JSON.stringify(url))
  const source = `import(${loader}).then(({ register }) => { register(); return import(${script}) })`
  const worker = new Worker(source, { eval: true })
  const answered = new Promise<OpenerAnswer>((resolve) => worker.once('message', resolve))
  worker.postMessage({ ...task, do: 'open' })
  return await answered
}

if (isMainThread) {
  process.on('message', (task: OpenerTask) => {
    const answered = task.do === 'open in a thread' ? inThread(task) : answer(task)
    answered.then((value) => process.send?.(value)).catch(() => process.exit(1))
  })
  // Otherwise it would end as soon as it has nothing to do.
  process.channel?.ref()
  process.send?.('ready')
} else {
  parentPort?.on('message', (task: OpenerTask) => {
    answer(task)
      .then((value) => parentPort?.postMessage(value))
      .catch(() => process.exit(1))
  })
}
