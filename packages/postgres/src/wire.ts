import { performance } from 'node:perf_hooks'
import type { Call } from '@mcp-session/core/backend'
import type { CustomTypesConfig, PoolClient } from 'pg'
import type { Connections, Lease } from './connections.ts'
import { isConflict, isPassing, keepsConnection } from './postgres-errors.ts'

/** A row as the engine wrote it: text, or null. */
export type Row = readonly (string | null)[]

export interface Statement {
  readonly name: string
  readonly text: string
}

/** Sends single statements, each a transaction of its own: nothing is left on a connection that a pooler may give to others. */
export interface Wire {
  /** A statement that writes. It is sent again only where the engine has undone it because of others. */
  write(statement: Statement, values: readonly unknown[], calls: readonly Call[]): Promise<readonly Row[]>
  /** A statement that only reads: sent again, on another connection if need be, while time is left. */
  read(statement: Statement, values: readonly unknown[], calls: readonly Call[]): Promise<readonly Row[]>
}

/** A call without a deadline must not hold a stuck connection for ever. */
const longestMs = 60_000
/** With less than that left, another try would only hide the first failure. */
const leastMs = 5
/** pg would turn some types into objects; here every value is the engine's text. */
const asText: CustomTypesConfig = { getTypeParser: () => (text: string | Buffer) => String(text) }

export function wire(connections: Connections, named: boolean): Wire {
  async function persist(isWorthIt: (error: unknown) => boolean, statement: Statement, values: readonly unknown[], calls: readonly Call[]) {
    const deadlineAt = lastDeadline(calls)
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await send(statement, values, deadlineAt)
      } catch (error) {
        const pauseMs = Math.random() * Math.min(10 * 2 ** attempt, 200)
        if (!isWorthIt(error) || performance.now() + pauseMs + leastMs >= deadlineAt) throw error
        await pause(pauseMs)
      }
    }
  }

  async function send(statement: Statement, values: readonly unknown[], deadlineAt: number): Promise<readonly Row[]> {
    const lease = await connections.lease(deadlineAt)
    return query(lease, { ...(named ? statement : { text: statement.text }), values }, deadlineAt)
  }

  return {
    write: (statement, values, calls) => persist(isConflict, statement, values, calls),
    read: (statement, values, calls) => persist(isPassing, statement, values, calls),
  }
}

/** One statement on a leased connection, which it gives back; one that is stuck beyond the deadline is destroyed. */
function query(
  lease: Lease,
  statement: { text: string; name?: string; values: readonly unknown[] },
  deadlineAt: number,
): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(beLate, Math.max(0, deadlineAt - performance.now()))
    let held = true

    /** A loop that was blocked runs its timers before it reads: an answer that is there already still counts. */
    function beLate(): void {
      setImmediate(() => {
        if (held) giveBack(true)
      })
    }

    function giveBack(broken: boolean): void {
      if (!held) return
      held = false
      lease.giveBack(broken)
    }

    ask(lease.client, statement).then(
      (rows) => {
        clearTimeout(timer)
        giveBack(false)
        resolve(rows)
      },
      (error: unknown) => {
        clearTimeout(timer)
        giveBack(!keepsConnection(error))
        reject(error)
      },
    )
  })
}

async function ask(client: PoolClient, statement: { text: string; name?: string; values: readonly unknown[] }): Promise<readonly Row[]> {
  const { rows } = await client.query<(string | null)[]>({ ...statement, values: [...statement.values], rowMode: 'array', types: asText })
  return rows
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function lastDeadline(calls: readonly Call[]): number {
  let last = 0
  for (const { deadlineAt } of calls) last = Math.max(last, deadlineAt)
  return Math.min(last, performance.now() + longestMs)
}
