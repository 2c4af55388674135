import { randomUUID } from 'node:crypto'
import type { JsonRpcResponse, JsonRpcResult } from './json-rpc.ts'
import type { LiveServer } from './live-server.ts'
import type { ProtocolState } from './protocol-state.ts'
import type { ServerLink } from './server-link.ts'

/**
 * Tells a fresh server what the session's client has told the one before: `initialize`, log level, subscriptions. Only public
 * messages are used, under ids of our own, and the answers go nowhere. `notifications/initialized` is left out: it would run the
 * application's `oninitialized` again on every node. Gives what the server answered to `initialize`; `undefined`: it speaks another
 * protocol revision than was agreed on.
 */
export async function restoreServer<M>(live: LiveServer<M>, state: ProtocolState): Promise<JsonRpcResult['result'] | undefined> {
  const answer = await put(live.link, 'initialize', state.initialize)
  if (agreedVersion(answer) !== state.version || !('result' in answer)) return undefined
  live.state = { ...state, logLevel: undefined, subscriptions: [] }
  await catchUp(live, state)
  return answer.result
}

/** Tells a live server what has changed in the protocol state since it heard of it last. */
export async function catchUp<M>(live: LiveServer<M>, state: ProtocolState): Promise<void> {
  const { logLevel, subscriptions } = live.state ?? state
  live.state = state
  if (state.logLevel !== undefined && state.logLevel !== logLevel) await put(live.link, 'logging/setLevel', { level: state.logLevel })
  const [before, after] = [new Set(subscriptions), new Set(state.subscriptions)]
  for (const uri of after) if (!before.has(uri)) await put(live.link, 'resources/subscribe', { uri })
  for (const uri of before) if (!after.has(uri)) await put(live.link, 'resources/unsubscribe', { uri })
}

/** The revision that a server answered `initialize` with; `undefined`: it refused. */
export function agreedVersion(answer: JsonRpcResponse): string | undefined {
  const version = 'result' in answer ? answer.result['protocolVersion'] : undefined
  return typeof version === 'string' && version !== '' ? version : undefined
}

function put(link: ServerLink, method: string, params: Readonly<Record<string, unknown>>): Promise<JsonRpcResponse> {
  return link.ask({ jsonrpc: '2.0', id: `restore.${randomUUID()}`, method, params: structuredClone(params) })
}
