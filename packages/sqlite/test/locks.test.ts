import { describe, expect, it } from 'vitest'
import { startChild } from './child-process.ts'
import { call, failure, newPath, newRecord, opened, rawDatabase } from './fixtures.ts'

describe('a write lock held by another process', () => {
  it('is outwaited for 3 s while the event loop goes on and reads are answered', { timeout: 60_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path })
    const known = newRecord()
    await backend.create(known, call())
    const holder = startChild()
    await holder.run({ do: 'lock', path })
    const late = newRecord()
    let created = false
    const creation = backend.create(late, call(undefined, 30_000)).then((result) => {
      created = true
      return result
    })
    // The lock is released by ticks of this event loop: if waiting blocked it, the call could not succeed.
    const longestGapMs = await ticks(300)
    expect(created).toBe(false)
    expect(await backend.get(known.id, call())).toEqual(known)
    await holder.run({ do: 'unlock' })
    expect(await creation).toBe(true)
    expect(await backend.get(late.id, call())).toEqual(late)
    // The driver's own waiting would stop it for all of the 3 s; the rest is left to a busy machine.
    expect(longestGapMs).toBeLessThan(1_000)
  })

  it('gives every call a typed error at its own deadline, and the others go on waiting', { timeout: 60_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path })
    const holder = startChild()
    await holder.run({ do: 'lock', path })
    const patient = newRecord()
    const success = backend.create(patient, call(undefined, 30_000))
    // More than one flush takes: some of them are still queued behind it.
    const hasty = Array.from({ length: 400 }, () => newRecord())
    const errors = await Promise.all(hasty.map((record) => failure(backend.create(record, call(undefined, 100)), 'MCP_SESSION_LOCKED')))
    for (const error of errors) expect(error).toMatchObject({ retryable: true, outcome: 'none' })
    expect(errors[0]?.message).toMatch(/another process.*lock.*callTimeoutMs/i)
    await holder.run({ do: 'unlock' })
    expect(await success).toBe(true)
    for (const { id } of hasty) expect(await backend.get(id, call())).toBeUndefined()
  })

  it('ends a call that is aborted with the reason of its signal', async () => {
    const path = newPath()
    const backend = await opened({ path })
    rawDatabase(path).exec('BEGIN IMMEDIATE')
    const aborter = new AbortController()
    const creation = backend.create(newRecord(), { ...call(), signal: aborter.signal })
    aborter.abort(new Error('no longer wanted'))
    await expect(creation).rejects.toThrow('no longer wanted')
  })

  it('is no hindrance when its holder is killed', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const holder = startChild()
    await holder.run({ do: 'lock', path })
    const record = newRecord()
    const creation = backend.create(record, call(undefined, 30_000))
    await holder.kill()
    expect(await creation).toBe(true)
  })

  it('lets close wait for the calls in flight', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const raw = rawDatabase(path)
    raw.exec('BEGIN IMMEDIATE')
    const record = newRecord()
    const creation = backend.create(record, call())
    const closing = backend.close()
    raw.exec('COMMIT')
    expect(await creation).toBe(true)
    await closing
    await failure(backend.get(record.id, call()), 'MCP_SESSION_CLOSED')
    expect(raw.prepare('SELECT count(*) FROM mcp_session').pluck().get()).toBe(1)
  })

  it('does not keep a process from opening a file that is up to date', async () => {
    const path = newPath()
    await opened({ path })
    rawDatabase(path).exec('BEGIN IMMEDIATE')
    const second = await opened({ path })
    expect(await second.get('s_1', call())).toBeUndefined()
  })

  it('gives LOCKED when a file stays locked altogether for 5 s while it is opened', { timeout: 30_000 }, async () => {
    const path = newPath()
    const raw = rawDatabase(path)
    raw.exec('CREATE TABLE t (x); BEGIN EXCLUSIVE')
    const error = await failure(opened({ path }), 'MCP_SESSION_LOCKED')
    expect(error.message).toMatch(/cannot be opened: another process keeps it locked; end that process/)
    expect(error.retryable).toBe(true)
    raw.exec('COMMIT')
    await opened({ path })
  })
})

describe('calls that travel together', () => {
  it('are judged one by one: values that cannot be stored fail alone', async () => {
    const backend = await opened({ path: newPath() })
    const records = Array.from({ length: 20 }, () => newRecord())
    const bad: never = { unbound: true } as never
    const results = await Promise.allSettled(
      records.map((record, index) => backend.create(index === 7 ? { ...record, data: bad } : record, call())),
    )
    expect(results.map(({ status }) => status)).toEqual(records.map((_, index) => (index === 7 ? 'rejected' : 'fulfilled')))
    for (const [index, { id }] of records.entries()) {
      expect((await backend.get(id, call()))?.id).toBe(index === 7 ? undefined : id)
    }
  })

  it('are not sent after their deadline', async () => {
    const backend = await opened({ path: newPath() })
    const record = newRecord()
    const late = { now: 0, deadlineAt: performance.now() - 1 }
    const errors = await Promise.all([
      failure(backend.create(record, late), 'MCP_SESSION_TIMEOUT'),
      failure(backend.get(record.id, late), 'MCP_SESSION_TIMEOUT'),
    ])
    for (const error of errors) expect(error.outcome).toBe('none')
    expect(await backend.get(record.id, call())).toBeUndefined()
  })
})

/** Waits for so many ticks of a 10 ms interval, and gives the longest gap between two. */
function ticks(count: number): Promise<number> {
  return new Promise((resolve) => {
    let ticked = 0
    let longest = 0
    let before = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      longest = Math.max(longest, now - before)
      before = now
      ticked += 1
      if (ticked < count) return
      clearInterval(timer)
      resolve(longest)
    }, 10)
  })
}
