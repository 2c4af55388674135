import { performance } from 'node:perf_hooks'
import { type Call, SessionError } from '@mcp-session/core/backend'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'
import { inForeignTransaction, isBusy, locked } from './sqlite-errors.ts'

/** The one connection of an open backend. All its steps are synchronous: none is ever half done when the event loop turns. */
export interface Connection {
  readonly database: SqliteDatabase
  /** One step at once; throws what `isBusy` knows when a lock is in the way. It never blocks the event loop for one. */
  attempt<T>(step: () => T): T
  /** One write transaction at once, as `attempt`. When it throws, it is rolled back. */
  transact<T>(work: () => T): T
  /** Several reads at once of one state of the file, as `attempt`. */
  snapshot<T>(read: () => T): T
  /** One step, again and again while something is busy, until the call's deadline: then `LOCKED`. */
  persist<T>(call: Call, step: () => T): Promise<T>
  /** Resolves when no step waits any more. */
  drain(): Promise<void>
}

/** `borrowed`: the application uses the connection as well, between our steps and perhaps across them. */
export function connect(database: SqliteDatabase, borrowed: boolean): Connection {
  const write = database.prepare('BEGIN IMMEDIATE')
  const read = database.prepare('BEGIN')
  const commit = database.prepare('COMMIT')
  const waiting = new Set<Promise<unknown>>()

  function attempt<T>(step: () => T): T {
    return borrowed ? asGuest(database, step) : step()
  }

  function transact<T>(work: () => T): T {
    return attempt(() => within(write, work))
  }

  function snapshot<T>(work: () => T): T {
    return attempt(() => within(read, work))
  }

  function within<T>(begin: SqliteStatement, work: () => T): T {
    begin.run()
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      // SQLite ends the transaction by itself on some errors. https://sqlite.org/lang_transaction.html
      if (database.inTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  async function persist<T>(call: Call, step: () => T): Promise<T> {
    checkCall(call)
    try {
      return attempt(step)
    } catch (error) {
      if (!isBusy(error)) throw error
      const patience = outlast(call, step, error)
      waiting.add(patience)
      return await patience.finally(() => waiting.delete(patience))
    }
  }

  async function outlast<T>(call: Call, step: () => T, firstError: unknown): Promise<T> {
    let lastError = firstError
    for (;;) {
      await pause(call.deadlineAt)
      call.signal?.throwIfAborted()
      if (performance.now() >= call.deadlineAt) throw locked(lastError)
      try {
        return attempt(step)
      } catch (error) {
        if (!isBusy(error)) throw error
        lastError = error
      }
    }
  }

  async function drain(): Promise<void> {
    await Promise.allSettled([...waiting])
  }

  return { database, attempt, transact, snapshot, persist, drain }
}

/** Waits before the next try for a lock: a random 1–10 ms, so that waiting processes do not fall into step, and not beyond `deadlineAt`. */
export function pause(deadlineAt: number): Promise<void> {
  const ms = Math.min(1 + 9 * Math.random(), Math.max(0, deadlineAt - performance.now()))
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function checkCall(call: Call): void {
  call.signal?.throwIfAborted()
  if (performance.now() < call.deadlineAt) return
  throw new SessionError('MCP_SESSION_TIMEOUT', 'The deadline had passed before sqlite was asked: nothing was done', { retryable: true })
}

/**
 * On a lent connection a step must not see the snapshot of an open transaction or iterator, must not become part of it, and must
 * not wait inside SQLite. The busy timeout is put back within the tick.
 */
function asGuest<T>(database: SqliteDatabase, step: () => T): T {
  if (database.inTransaction) throw inForeignTransaction()
  // The driver refuses a pragma while an iterator is open.
  const timeoutMs = Number(database.pragma('busy_timeout', { simple: true }))
  if (timeoutMs === 0) return step()
  database.pragma('busy_timeout = 0')
  try {
    return step()
  } finally {
    database.pragma(`busy_timeout = ${timeoutMs}`)
  }
}
