import { openSessions, type Sessions } from '@mcp-session/core'
import type { SessionRecord } from '@mcp-session/core/backend'
import { type PostgresBackendOptions, postgresBackend } from '../src/index.ts'
import type { Counter } from './fixtures.ts'

/** What a test asks of another process. */
export type Task =
  | { readonly do: 'open'; readonly options: PostgresBackendOptions }
  | { readonly do: 'increment'; readonly id: string; readonly times: number }
  | { readonly do: 'batches'; readonly records: readonly SessionRecord[]; readonly rounds: number }
  | { readonly do: 'close' }

export type Answer = Readonly<Record<string, unknown>>

const backends: ReturnType<typeof postgresBackend>[] = []
let sessions: Sessions<Counter> | undefined

process.on('message', (task: Task) => {
  perform(task).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ error: error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error) }),
  )
})

async function perform(task: Task): Promise<Answer> {
  switch (task.do) {
    case 'open': {
      const backend = postgresBackend(task.options)
      backends.push(backend)
      sessions = await openSessions<Counter>({ backend, cleanupIntervalMs: 0, callTimeoutMs: 60_000 })
      return {}
    }
    case 'increment':
      return await increment(task.id, task.times)
    case 'batches':
      return await batches(task.records, task.rounds)
    case 'close':
      await sessions?.close()
      return {}
  }
}

async function increment(id: string, times: number): Promise<Answer> {
  for (let done = 0; done < times; done += 1) {
    await sessions?.update(id, ({ counter }) => ({ counter: counter + 1 }))
  }
  return { conflicts: sessions?.metrics().conflicts }
}

/** Touches all records in each round, in another order every time: flushes of two processes overlap all the time. */
async function batches(records: readonly SessionRecord[], rounds: number): Promise<Answer> {
  const [backend] = backends
  let touched = 0
  for (let round = 1; round <= rounds; round += 1) {
    const shuffled = records.map((record) => ({ record, at: Math.random() })).sort((one, other) => one.at - other.at)
    const answers = await Promise.all(
      shuffled.map(({ record: { id, rev, lastAccessedAt, expiresAt } }) =>
        backend?.touch(
          { id, rev, lastAccessedAt: lastAccessedAt + round, expiresAt: expiresAt + round },
          { now: lastAccessedAt, deadlineAt: performance.now() + 60_000 },
        ),
      ),
    )
    touched += answers.filter((answer) => answer === 'touched').length
  }
  return { touched }
}
