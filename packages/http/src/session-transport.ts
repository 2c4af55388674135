import type { JsonRpcMessage, RequestId } from './json-rpc.ts'
import type { AuthInfo } from './principal.ts'

/** What comes with a message from the client, for both SDK majors: v1 reads `requestInfo`, v2 reads `request`. */
export interface MessageExtra {
  authInfo?: AuthInfo
  requestInfo?: { headers: Record<string, string | string[] | undefined>; url?: URL }
  request?: Request
  /** Ends the HTTP response of the running call; the client resumes it after `retry`. Only where the client can. */
  closeSSEStream?: () => void
  closeStandaloneSSEStream?: () => void
}

export interface SendOptions {
  /** The client's request that this message belongs to. */
  relatedRequestId?: RequestId | undefined
}

/**
 * The part of the SDKs' public `Transport` interface that a server needs, so that one build serves both majors without
 * importing either.
 */
export interface SessionTransport {
  start(): Promise<void>
  /** Resolves once the message is as durable as the backend promises, or was handed over as a plain JSON answer. */
  send(message: JsonRpcMessage, options?: SendOptions): Promise<void>
  close(): Promise<void>
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?(message: JsonRpcMessage, extra?: MessageExtra): void
  sessionId?: string
}

/** A server that can be connected: `McpServer` and `Server` of both SDK majors. */
export interface ConnectableServer {
  connect(transport: SessionTransport): Promise<void>
  close(): Promise<void>
}
