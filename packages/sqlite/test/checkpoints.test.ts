import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { SessionBackend } from '@mcp-session/core/backend'
import { expect, it, vi } from 'vitest'
import { startChild } from './child-process.ts'
import { call, failure, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

const patience = { timeout: 60_000 }

async function write(backend: SessionBackend, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await backend.create(newRecord({ data: 'x'.repeat(10_000) }), call())
}

it('the log is written back on another thread, with nothing said by the caller', patience, async () => {
  const path = newPath()
  const backend = await opened({ path, durable: false })
  await write(backend, 600)
  const looking = rawDatabase(path)
  const bytes = Number(looking.pragma('page_count', { simple: true })) * Number(looking.pragma('page_size', { simple: true }))
  // What SQLite does by itself leaves up to 1,000 pages in the log until somebody writes again.
  await vi.waitFor(() => expect(statSync(path).size).toBe(bytes), { timeout: 30_000, interval: 20 })
  looking.close()
  await backend.close()
})

/** By twenty at once, without a pause; gives how long the log was meanwhile. */
async function writeOn(backend: SessionBackend, path: string, count: number): Promise<number[]> {
  let left = count
  const logBytes: number[] = []
  async function writer(): Promise<void> {
    while (left > 0) {
      left -= 1
      await backend.create(newRecord({ data: 'x'.repeat(10_000) }), call())
      if (left % 100 === 0) logBytes.push(statSync(`${path}-wal`).size)
    }
  }
  await Promise.all(Array.from({ length: 20 }, writer))
  return logBytes
}

it('the log begins anew under writes that never pause, before SQLite would write it back on the caller’s thread', patience, async () => {
  const path = newPath()
  const backend = await opened({ path })
  // 200 MB; the backstop is at 64 MiB, and there the log would stay.
  const logBytes = await writeOn(backend, path, 20_000)
  expect(Math.max(...logBytes)).toBeLessThan(60 * 1024 * 1024)
  await backend.close()
})

it('writes go on where the thread does not answer', patience, async () => {
  const path = newPath()
  const backend = await opened({ path })
  const { postMessage } = Worker.prototype
  let unanswered = 0
  const deaf = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, message: unknown) {
    if (message === 'catch up') unanswered += 1
    else postMessage.call(this, message)
  })
  await writeOn(backend, path, 15_000)
  deaf.mockRestore()
  expect(unanswered).toBeGreaterThan(0)
  await backend.close()
})

it('a reader that holds on to the log stops writes at maxWalBytes, but not deletions, and they go on when it ends', patience, async () => {
  const path = newPath()
  const backend = await opened({ path, durable: false, maxWalBytes: 2 * 1024 * 1024 })
  const known = newRecord()
  await backend.create(known, call())
  const reader = rawDatabase(path)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM mcp_session').get()
  let refusal: unknown
  for (let count = 0; count < 20_000 && refusal === undefined; count += 1) {
    refusal = await backend.create(newRecord({ data: 'x'.repeat(10_000) }), call()).then(
      () => undefined,
      (error: unknown) => error,
    )
  }
  expect(refusal).toMatchObject({ code: 'MCP_SESSION_LIMIT', retryable: true, outcome: 'none' })
  expect(String(refusal)).toMatch(/maxWalBytes.*read transaction/)
  expect(await backend.get(known.id, call())).toEqual(known)
  expect(await backend.delete(known.id, undefined, call())).toBe(true)
  await failure(backend.create(newRecord(), call()), 'MCP_SESSION_LIMIT')
  reader.exec('COMMIT')
  await vi.waitFor(() => backend.create(newRecord(), call()), { timeout: 20_000, interval: 20 })
  await backend.close()
})

it('the thread of it does not keep a process alive that did not close its backend', patience, async () => {
  const path = newPath()
  const child = startChild()
  await child.run({ do: 'open', options: { path, durable: false } })
  const { created } = await child.run({ do: 'create', count: 400 })
  expect(await child.end()).toBe(0)
  const backend = await opened({ path })
  expect(await backend.get(String(created), call())).toBeDefined()
})
