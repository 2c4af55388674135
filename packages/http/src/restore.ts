import { randomUUID } from 'node:crypto'
import type { JsonRpcResponse } from './json-rpc.ts'
import type { LiveServer } from './live-server.ts'
import type { ProtocolState } from './protocol-state.ts'
import type { ServerLink } from './server-link.ts'

/**
 * Tells a fresh server what the session's client has told the one before: `initialize`, log level, subscriptions. Only public
 * messages are used, under ids of our own, and the answers go nowhere. `notifications/initialized` is left out: it would run the
 * application's `oninitialized` again on every node. False: the server speaks another protocol revision than was agreed on.
 */
export async function restoreServer<M>(live: LiveServer<M>, state: ProtocolState): Promise<boolean> {
  const answer = await put(live.link, 'initialize', state.initialize)
  if (agreedVersion(answer) !== state.version) return false
  if (state.logLevel !== undefined) await put(live.link, 'logging/setLevel', { level: state.logLevel })
  for (const uri of state.subscriptions) await put(live.link, 'resources/subscribe', { uri })
  live.state = state
  return true
}

/** The revision that a server answered `initialize` with; `undefined`: it refused. */
export function agreedVersion(answer: JsonRpcResponse): string | undefined {
  const version = 'result' in answer ? answer.result['protocolVersion'] : undefined
  return typeof version === 'string' && version !== '' ? version : undefined
}

function put(link: ServerLink, method: string, params: Readonly<Record<string, unknown>>): Promise<JsonRpcResponse> {
  return link.ask({ jsonrpc: '2.0', id: `restore.${randomUUID()}`, method, params: structuredClone(params) })
}
