import type { Session } from '@mcp-session/core'
import { standaloneStream } from './cursors.ts'
import { digestOf, type ProtocolState, readProtocolState, storedState } from './protocol-state.ts'
import type { Runtime } from './runtime.ts'

/**
 * After a deploy a restored server may answer `initialize` otherwise than the client was told. The client cannot be told again, but
 * where it was promised `listChanged` it gets those notifications and asks for the lists anew: at least once for each change, and
 * before the change is taken for told.
 */
export async function announceChanges<M>(
  { sessions, log }: Runtime<M>,
  session: Session<M>,
  { told }: ProtocolState,
  answer: Readonly<Record<string, unknown>>,
): Promise<void> {
  const digest = digestOf(answer)
  if (told === undefined || told.digest === digest) return
  for (const list of told.promised) {
    const notification = { jsonrpc: '2.0', method: `notifications/${list}/list_changed` }
    // Nodes that restore the session at the same moment have read the same rev, and tell the client once.
    await log.append(session.id, standaloneStream, JSON.stringify(notification), { key: `told.${list}.${session.rev}` })
  }
  await sessions.updateContext(session.id, (context) => {
    const state = readProtocolState(context)
    return state?.told === undefined ? context : storedState({ ...state, told: { ...state.told, digest } })
  })
}
