import { openSessions, type Sessions } from '@mcp-session/core'
import type { Call, SessionBackend } from '@mcp-session/core/backend'
import Database from 'better-sqlite3'
import { type SqliteBackendOptions, sqliteBackend } from '../src/index.ts'

/** What a test asks of another process. */
export type Task =
  | { readonly do: 'open'; readonly options: SqliteBackendOptions }
  | { readonly do: 'open sessions'; readonly options: SqliteBackendOptions }
  | { readonly do: 'be nobody' }
  | { readonly do: 'close' }
  | { readonly do: 'lock'; readonly path: string }
  | { readonly do: 'unlock' }
  | { readonly do: 'increment'; readonly id: string; readonly times: number }
  | { readonly do: 'disturb'; readonly ids: readonly string[] }
  | { readonly do: 'write'; readonly concurrency: number }
  | { readonly do: 'create'; readonly count: number }
  | { readonly do: 'publish'; readonly channel: string; readonly messages: readonly string[] }
  | { readonly do: 'subscribe'; readonly channel: string }

export interface Counter {
  readonly counter: number
}

export type Answer = Readonly<Record<string, unknown>>

const now = 1_000_000
const unbounded = { maxEvents: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
let backend: SessionBackend | undefined
let sessions: Sessions<Counter> | undefined
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
    case 'open sessions':
      sessions = await openSessions<Counter>({ backend: sqliteBackend(task.options), callTimeoutMs: 60_000 })
      return {}
    case 'close':
      await sessions?.close()
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
      return await disturb(task.ids)
    case 'write':
      await Promise.all(Array.from({ length: task.concurrency }, writeForEver))
      return {}
    case 'create':
      return await createSome(task.count)
    case 'publish':
      for (const message of task.messages) await store().signals?.publish(task.channel, message, call())
      return {}
    case 'subscribe':
      await store().signals?.subscribe(task.channel, (message) => process.send?.({ heard: message ?? null }))
      return {}
  }
}

async function increment(id: string, times: number): Promise<Answer> {
  for (let done = 0; done < times; done += 1) {
    await sessionsOf().update(id, ({ counter }) => ({ counter: counter + 1 }))
  }
  return { conflicts: sessionsOf().metrics().conflicts }
}

/** Everything that could bring a deleted session back, and how much of it came before the delete. */
async function disturb(ids: readonly string[]): Promise<Answer> {
  let won = 0
  for (const id of ids) {
    writes += 1
    const event = { key: `${process.pid}.${writes}`, stream: 'a', data: 'x' }
    const [updated, touched, extended, appended] = await Promise.all([
      sessionsOf().update(id, ({ counter }) => ({ counter: counter + 1 })),
      sessionsOf().touch(id),
      sessionsOf().setTtl(id, 120_000),
      sessionsOf().events?.append(id, event, unbounded),
    ])
    if (updated !== undefined || touched || extended || appended !== undefined) won += 1
  }
  return { won }
}

/** Creates sessions one after the other, and says which was the last. */
async function createSome(count: number): Promise<Answer> {
  let created = ''
  for (let done = 0; done < count; done += 1) created = await createOne()
  return { created }
}

/** Creates sessions with one event each, and says so once both are acknowledged. */
async function writeForEver(): Promise<void> {
  for (;;) process.send?.({ acknowledged: await createOne() })
}

async function createOne(): Promise<string> {
  writes += 1
  const id = `s_${process.pid}_${writes}`
  const times = { createdAt: now, lastAccessedAt: now, ttlMs: 60_000, mustEndAt: Number.POSITIVE_INFINITY, expiresAt: now + 60_000 }
  await store().create({ id, rev: 'r', prevRev: null, owner: null, ...times, data: id }, call())
  await store().events?.append(id, { key: 'k', stream: 'a', data: id }, unbounded, call())
  return id
}

function store(): SessionBackend {
  if (backend !== undefined) return backend
  throw new Error('not open')
}

function sessionsOf(): Sessions<Counter> {
  if (sessions !== undefined) return sessions
  throw new Error('not open')
}

function call(): Call {
  return { now, deadlineAt: performance.now() + 20_000 }
}
