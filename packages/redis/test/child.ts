import { openSessions } from '@mcp-session/core'
import { type RedisBackendOptions, redisBackend } from '../src/index.ts'

/** What a test asks of another process. */
export type Task =
  | { readonly do: 'open'; readonly options: RedisBackendOptions }
  | { readonly do: 'increment'; readonly id: string; readonly times: number }
  | { readonly do: 'read with aborts'; readonly ids: readonly string[]; readonly times: number }

export type Answer = Readonly<Record<string, unknown>>

export interface Counter {
  readonly counter: number
}

let sessions: Awaited<ReturnType<typeof openSessions<Counter>>> | undefined

async function carryOut(task: Task): Promise<Answer> {
  if (task.do === 'open') {
    sessions = await openSessions<Counter>({ backend: redisBackend(task.options), cleanupIntervalMs: 0, callTimeoutMs: 60_000 })
    return { opened: true }
  }
  if (sessions === undefined) throw new Error('open first')
  return task.do === 'increment' ? increment(sessions, task.id, task.times) : readWithAborts(sessions, task.ids, task.times)
}

async function increment(store: NonNullable<typeof sessions>, id: string, times: number): Promise<Answer> {
  let done = 0
  for (let n = 0; n < times; n += 1) {
    const updated = await store.update(id, ({ counter }) => ({ counter: counter + 1 }))
    if (updated !== undefined) done += 1
  }
  return { done }
}

/** Reads many sessions at once, half of the reads given up at random moments: each answer must be of the session asked for. */
async function readWithAborts(store: NonNullable<typeof sessions>, ids: readonly string[], times: number): Promise<Answer> {
  let answered = 0
  let wrong = 0
  for (let round = 0; round < times; round += 1) {
    await Promise.all(
      ids.map(async (id, n) => {
        const given = new AbortController()
        if (Math.random() < 0.5) setImmediate(() => given.abort())
        const session = await store.retrieve(id, { signal: given.signal }).catch(() => undefined)
        if (session === undefined) return
        answered += 1
        if (session.id !== id || session.metadata.counter !== n) wrong += 1
      }),
    )
  }
  return { answered, wrong }
}

process.on('message', (task: Task) => {
  carryOut(task).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => void sessions?.close())
