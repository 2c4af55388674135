import type { SessionHandle } from '@mcp-session/http'

/** The application's state: it lives in the session, so it is there after a restart and in every process. */
interface Counter {
  readonly counter: number
}

/** The part of a live session that the tools use. */
export type CounterSession = Pick<SessionHandle<Counter>, 'update'>

/** What the tool `count` answers. */
export interface CountAnswer extends Record<string, unknown> {
  readonly counter: number
  /** Of the process that answers: after a restart another one, for the same session. */
  readonly pid: number
  /** What the client called itself in its handshake, also when another process took part in that. */
  readonly client: string
}

/** Counts up, atomically: calls that other processes serve at the same moment are not lost. */
export async function countUp(session: CounterSession, client: string | undefined): Promise<CountAnswer> {
  const { counter } = await session.update((metadata) => ({ ...metadata, counter: metadata.counter + 1 }))
  return { counter, pid: process.pid, client: client ?? '' }
}
