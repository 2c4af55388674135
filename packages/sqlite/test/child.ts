import type { Call, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import Database from 'better-sqlite3'
import { type SqliteBackendOptions, sqliteBackend } from '../src/index.ts'

/** What a test asks of another process. */
export type Task =
  | { readonly do: 'open'; readonly options: SqliteBackendOptions }
  | { readonly do: 'be nobody' }
  | { readonly do: 'close' }
  | { readonly do: 'lock'; readonly path: string }
  | { readonly do: 'unlock' }
  | { readonly do: 'increment'; readonly id: string; readonly times: number }
  | { readonly do: 'disturb'; readonly records: readonly SessionRecord[] }
  | { readonly do: 'write'; readonly concurrency: number }
  | { readonly do: 'publish'; readonly channel: string; readonly messages: readonly string[] }
  | { readonly do: 'subscribe'; readonly channel: string }

export type Answer = Readonly<Record<string, unknown>>

const now = 1_000_000
const unbounded = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
let backend: SessionBackend | undefined
let holder: Database.Database | undefined
let writes = 0

process.on('message', (task: Task) => {
  perform(task).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ error: error instanceof Error ? { ...error, text: error.message } : String(error) }),
  )
})

async function perform(task: Task): Promise<Answer> {
  switch (task.do) {
    case 'open':
      backend = sqliteBackend(task.options)
      await backend.open()
      return { info: backend.info }
    case 'be nobody':
      // Permissions mean nothing to root. The driver's native part is loaded before, where root may have put it out of reach.
      new Database(':memory:').close()
      if (process.getuid?.() === 0) process.seteuid?.(65_534)
      return {}
    case 'close':
      await backend?.close()
      return {}
    case 'lock':
      holder = new Database(task.path)
      holder.exec('BEGIN IMMEDIATE')
      return {}
    case 'unlock':
      holder?.exec('COMMIT')
      holder?.close()
      return {}
    case 'increment':
      return await increment(task.id, task.times)
    case 'disturb':
      return await disturb(task.records)
    case 'write':
      await Promise.all(Array.from({ length: task.concurrency }, writeForEver))
      return {}
    case 'publish':
      for (const message of task.messages) await store().signals?.publish(task.channel, message, call())
      return {}
    case 'subscribe':
      await store().signals?.subscribe(task.channel, (message) => process.send?.({ heard: message ?? null }))
      return {}
  }
}

async function increment(id: string, times: number): Promise<Answer> {
  let conflicts = 0
  let record = await store().get(id, call())
  for (let done = 0; done < times; ) {
    if (record === undefined) throw new Error('the session is gone')
    const { counter } = JSON.parse(record.data)
    writes += 1
    const next: SessionRecord = {
      ...record,
      rev: `${process.pid}.${writes}`,
      prevRev: record.rev,
      data: JSON.stringify({ counter: counter + 1 }),
    }
    const result = await store().replace(next, record.rev, call())
    if (result.replaced) done += 1
    else conflicts += 1
    record = result.replaced ? next : result.current
  }
  return { conflicts }
}

/** Everything that could bring a deleted session back, and how much of it came before the delete. */
async function disturb(records: readonly SessionRecord[]): Promise<Answer> {
  let won = 0
  for (const record of records) {
    writes += 1
    const key = `${process.pid}.${writes}`
    const [touched, replaced, appended] = await Promise.all([
      store().touch({ id: record.id, rev: record.rev, lastAccessedAt: now + 1, expiresAt: now + 60_001 }, call()),
      store().replace({ ...record, rev: key, prevRev: record.rev }, record.rev, call()),
      store().events?.append(record.id, { key, stream: 'a', data: 'x' }, unbounded, call()),
    ])
    if (touched === 'touched' || replaced.replaced || appended !== undefined) won += 1
  }
  return { won }
}

/** Creates sessions with one event each, and says so once both are acknowledged. */
async function writeForEver(): Promise<void> {
  for (;;) {
    writes += 1
    const id = `s_${process.pid}_${writes}`
    const times = { createdAt: now, lastAccessedAt: now, ttlMs: 60_000, mustEndAt: Number.POSITIVE_INFINITY, expiresAt: now + 60_000 }
    await store().create({ id, rev: 'r', prevRev: null, owner: null, ...times, data: id }, call())
    await store().events?.append(id, { key: 'k', stream: 'a', data: id }, unbounded, call())
    process.send?.({ acknowledged: id })
  }
}

function store(): SessionBackend {
  if (backend !== undefined) return backend
  throw new Error('not open')
}

function call(): Call {
  return { now, deadlineAt: performance.now() + 20_000 }
}
