/** A request id; the protocol allows strings and integers. */
export type RequestId = string | number

export interface JsonRpcRequest {
  jsonrpc: '2.0'
  id: RequestId
  method: string
  params?: Record<string, unknown> | undefined
}

export interface JsonRpcNotification {
  jsonrpc: '2.0'
  method: string
  params?: Record<string, unknown> | undefined
}

export interface JsonRpcResult {
  jsonrpc: '2.0'
  id: RequestId
  result: Record<string, unknown>
}

export interface JsonRpcError {
  jsonrpc: '2.0'
  id?: RequestId | undefined
  error: { code: number; message: string; data?: unknown }
}

export type JsonRpcResponse = JsonRpcResult | JsonRpcError
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse

/** What the body of a POST holds. */
export type ParsedBody =
  | { readonly ok: true; readonly messages: readonly JsonRpcMessage[]; readonly batch: boolean }
  | { readonly ok: false; readonly code: number; readonly problem: string }

/** Messages in one batch at most, as in the SDKs. */
const maxBatch = 100

/** Reads a body that is text or was parsed by something in front. Every message is checked as strictly as the SDKs check it. */
export function parseBody(body: { readonly text: string } | { readonly value: unknown }): ParsedBody {
  let value: unknown
  try {
    value = 'text' in body ? JSON.parse(body.text) : body.value
  } catch {
    return { ok: false, code: -32700, problem: 'Parse error: the body is not JSON' }
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) return { ok: false, code: -32600, problem: 'Invalid Request: the batch is empty' }
  if (list.length > maxBatch) return { ok: false, code: -32600, problem: `Invalid Request: more than ${maxBatch} messages in a batch` }
  const messages: JsonRpcMessage[] = []
  for (const item of list) {
    const message = asMessage(item)
    if (message === undefined) return { ok: false, code: -32600, problem: 'Invalid Request: not a JSON-RPC 2.0 message' }
    messages.push(message)
  }
  return { ok: true, messages, batch: Array.isArray(value) }
}

export function isRequest(message: JsonRpcMessage): message is JsonRpcRequest {
  return 'method' in message && 'id' in message
}

export function isResponse(message: JsonRpcMessage): message is JsonRpcResponse {
  return !('method' in message)
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value)
}

/**
 * An SDK server drops what its own schema refuses without an answer, and the call would then wait for ever: so whatever it
 * drops is refused here. Unknown members beside the known ones are among it.
 */
function asMessage(value: unknown): JsonRpcMessage | undefined {
  if (!isPlainObject(value) || value['jsonrpc'] !== '2.0') return undefined
  const known = 'method' in value ? asCall(value) : asResponse(value)
  return known
}

function asCall(value: Record<string, unknown>): JsonRpcMessage | undefined {
  const { method, params, id } = value
  if (typeof method !== 'string') return undefined
  if ('params' in value && !(isPlainObject(params) && isMeta(params['_meta']))) return undefined
  const given = isPlainObject(params) ? { params } : {}
  if (!('id' in value)) return hasOnly(value, ['jsonrpc', 'method', 'params']) ? { jsonrpc: '2.0', method, ...given } : undefined
  if (!isRequestId(id) || !hasOnly(value, ['jsonrpc', 'id', 'method', 'params'])) return undefined
  return { jsonrpc: '2.0', id, method, ...given }
}

function asResponse(value: Record<string, unknown>): JsonRpcMessage | undefined {
  const { id, result, error } = value
  if ('result' in value) {
    if (!isRequestId(id) || !isPlainObject(result) || !hasOnly(value, ['jsonrpc', 'id', 'result'])) return undefined
    return { jsonrpc: '2.0', id, result }
  }
  if (!isPlainObject(error) || !hasOnly(value, ['jsonrpc', 'id', 'error'])) return undefined
  const { code, message, data } = error
  if (!Number.isSafeInteger(code) || typeof code !== 'number' || typeof message !== 'string') return undefined
  const details = 'data' in error ? { code, message, data } : { code, message }
  if (!('id' in value) || id === undefined || id === null) return { jsonrpc: '2.0', error: details }
  return isRequestId(id) ? { jsonrpc: '2.0', id, error: details } : undefined
}

function isMeta(meta: unknown): boolean {
  if (meta === undefined) return true
  if (!isPlainObject(meta)) return false
  const token = meta['progressToken']
  const task = meta['io.modelcontextprotocol/related-task']
  return (token === undefined || isRequestId(token)) && (task === undefined || (isPlainObject(task) && typeof task['taskId'] === 'string'))
}

function hasOnly(value: Record<string, unknown>, keys: readonly string[]): boolean {
  return Object.keys(value).every((key) => keys.includes(key))
}
