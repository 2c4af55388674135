import { isPlainObject, isRequestId, type JsonRpcNotification, type JsonRpcRequest, type RequestId } from './json-rpc.ts'

/**
 * Outgoing request ids of one live server. The SDKs count from 0 in every process, but an id must never be used twice in a
 * session (2025-11-25 basic/index.mdx), and an answer that reaches another node must name the server that waits for it:
 * so ids and progress tokens leave as `<nonce>:<the SDK's own id>`.
 */
export interface RequestIds {
  readonly nonce: string
  /** The message as the client is to see it. */
  outgoing(message: JsonRpcRequest): JsonRpcRequest
  /** The same for `notifications/cancelled` of an outgoing request. */
  outgoingNotification(message: JsonRpcNotification): JsonRpcNotification
  /** The SDK's own id; `undefined`: the id is not one of this live server's. */
  own(id: unknown): RequestId | undefined
}

/** Whether an id or progress token looks like one that some live server made: no other can be waited for. */
export function isMadeHere(id: unknown): boolean {
  return typeof id === 'string' && id.length <= 300 && /^[\w-]{16}:/.test(id)
}

export function requestIds(nonce: string): RequestIds {
  const wire = (id: RequestId): string => `${nonce}:${JSON.stringify(id)}`
  return {
    nonce,
    outgoing(message) {
      const params = message.params
      const meta = params?.['_meta']
      const id = wire(message.id)
      if (!isPlainObject(meta) || !isRequestId(meta['progressToken'])) return { ...message, id }
      return { ...message, id, params: { ...params, _meta: { ...meta, progressToken: wire(meta['progressToken']) } } }
    },
    outgoingNotification(message) {
      const requestId = message.params?.['requestId']
      if (message.method !== 'notifications/cancelled' || !isRequestId(requestId)) return message
      return { ...message, params: { ...message.params, requestId: wire(requestId) } }
    },
    own(id) {
      if (typeof id !== 'string' || !id.startsWith(`${nonce}:`)) return undefined
      try {
        const own: unknown = JSON.parse(id.slice(nonce.length + 1))
        return isRequestId(own) ? own : undefined
      } catch {
        return undefined
      }
    },
  }
}
