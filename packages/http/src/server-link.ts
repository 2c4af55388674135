import { type Call, type CallOptions, newCall } from './call.ts'
import { standaloneStream } from './cursors.ts'
import { type Deferred, deferred } from './deferred.ts'
import type { EventLog } from './event-log.ts'
import { isForAllServers } from './inbox.ts'
import type { JsonRpcResponse, RequestId } from './json-rpc.ts'
import { isRequest, isRequestId, isResponse, type JsonRpcMessage, type JsonRpcNotification, type JsonRpcRequest } from './json-rpc.ts'
import type { OpenStreams } from './open-streams.ts'
import { requestIds } from './request-ids.ts'
import { ServerClosed, SessionEnded } from './session-ended.ts'
import type { MessageExtra, SendOptions, SessionTransport } from './session-transport.ts'
import { writeQueue } from './write-queue.ts'

/** This package's end of the transport of one live server. */
export interface ServerLink {
  /** The server's end. */
  readonly transport: SessionTransport
  /** Puts a request whose answer no stream carries to the server, and gives the answer. */
  ask(request: JsonRpcRequest, extra?: MessageExtra): Promise<JsonRpcResponse>
  /** Registers the requests of one POST; `undefined`: one of the ids is running already. */
  begin(requests: readonly JsonRpcRequest[]): Call | undefined
  /** Hands a message to the server: requests that were begun, notifications, and answers in the client's form. */
  deliver(message: JsonRpcMessage, extra?: MessageExtra): void
  /** The call that still runs and is answered by the stream with that opening frame. */
  callOf(opening: number): Call | undefined
  /** Whether the server can do something with it: its own request's answer or progress, its running request's cancellation. */
  isAddressee(message: JsonRpcMessage): boolean
  /** Names this live server in the cluster. */
  readonly nonce: string
  /** A call runs, or the server waits for an answer of the client. */
  isBusy(): boolean
  /** Resolves when no call runs any more. */
  drained(): Promise<void>
}

export interface ServerLinkOptions {
  readonly sessionId: string
  readonly node: string
  /** Unique in the cluster, never used twice. */
  readonly nonce: string
  readonly log: EventLog
  readonly streams: OpenStreams
  readonly heartbeats: CallOptions['heartbeats']
  /** Runs before a successful answer leaves: what the request changed in the protocol state is stored first. */
  readonly onAnswered: (request: JsonRpcRequest) => Promise<void>
  readonly onLost: (error: unknown) => void
  readonly onClose: () => void
}

export function serverLink(options: ServerLinkOptions): ServerLink {
  const { sessionId, log, onAnswered, onLost, onClose } = options
  const ids = requestIds(options.nonce)
  const asked = new Map<RequestId, Deferred<JsonRpcResponse>>()
  const running = new Map<RequestId, { readonly call: Call; readonly request: JsonRpcRequest }>()
  /** The server's own requests that the client has not answered. */
  const awaited = new Set<RequestId>()
  /** Of the standalone stream; calls have queues of their own. */
  const queue = writeQueue()
  let isClosed = false

  const transport: SessionTransport = {
    sessionId,
    async start() {},
    async send(message, sendOptions) {
      if (isResponse(message)) return sendAnswer(message)
      if (!isRequest(message)) return sendNotification(message, sendOptions)
      if (isClosed) throw new ServerClosed()
      awaited.add(message.id)
      try {
        await post(ids.outgoing(message), sendOptions)
      } catch (error) {
        awaited.delete(message.id)
        throw error
      }
    },
    async close() {
      if (isClosed) return
      isClosed = true
      const calls = new Set([...running.values()].map(({ call }) => call))
      for (const { reject } of asked.values()) reject(new ServerClosed())
      awaited.clear()
      queue.close()
      onClose()
      try {
        transport.onclose?.()
      } catch (error) {
        onLost(error)
      }
      await Promise.all([...calls].map((call) => call.abort()))
    },
  }

  async function sendAnswer(response: JsonRpcResponse): Promise<void> {
    if (response.id === undefined) return
    const question = asked.get(response.id)
    if (question !== undefined) return question.resolve(response)
    const entry = running.get(response.id)
    if (entry === undefined) return
    await entry.call.answer('result' in response ? await keep(entry.request, response) : response)
  }

  /** What the store did not take would be gone on the next node: the client hears of a failure, and may ask again. */
  async function keep(request: JsonRpcRequest, response: JsonRpcResponse): Promise<JsonRpcResponse> {
    try {
      await onAnswered(request)
      return response
    } catch (error) {
      onLost(error)
      return { jsonrpc: '2.0', id: request.id, error: { code: -32603, message: 'The session store did not take the change: ask again' } }
    }
  }

  async function sendNotification(message: JsonRpcNotification, sendOptions: SendOptions | undefined): Promise<void> {
    const requestId = message.params?.['requestId']
    if (message.method === 'notifications/cancelled' && isRequestId(requestId)) awaited.delete(requestId)
    const isLate = sendOptions?.relatedRequestId !== undefined && !running.has(sendOptions.relatedRequestId)
    // Progress must stop when its request has ended (2025-11-25 basic/utilities/progress.mdx).
    if (isLate && message.method === 'notifications/progress') return
    const posted = post(ids.outgoingNotification(message), sendOptions)
    // The SDKs send these without waiting for them, so a rejection would be nobody's and end the process.
    await (message.method.endsWith('/list_changed') ? posted.catch(lost) : posted)
  }

  function lost(error: unknown): void {
    if (!(error instanceof SessionEnded)) onLost(error)
  }

  /** To the stream of the call that it belongs to; without one, or after it has ended, to the standalone stream. */
  async function post(message: JsonRpcMessage, sendOptions: SendOptions | undefined): Promise<void> {
    const related = sendOptions?.relatedRequestId
    const entry = related === undefined ? undefined : running.get(related)
    if (entry !== undefined) return entry.call.relate(message)
    const sequence = await queue.inTurn(() => log.append(sessionId, standaloneStream, JSON.stringify(message)))
    if (sequence === undefined) throw new SessionEnded()
  }

  function hand(message: JsonRpcMessage, extra: MessageExtra | undefined): void {
    if (isClosed) throw new ServerClosed()
    transport.onmessage?.(message, extra)
  }

  return {
    transport,
    nonce: options.nonce,
    async ask(request, extra) {
      const question = deferred<JsonRpcResponse>()
      asked.set(request.id, question)
      try {
        hand(request, extra)
        return await question.promise
      } finally {
        asked.delete(request.id)
      }
    },
    begin(requests) {
      const wanted = requests.map(({ id }) => id)
      if (new Set(wanted).size < wanted.length || wanted.some((id) => running.has(id))) return undefined
      const call = newCall({ ...options, requests })
      for (const request of requests) running.set(request.id, { call, request })
      void call.done.then(() => {
        for (const id of wanted) if (running.get(id)?.call === call) running.delete(id)
      })
      return call
    },
    deliver(message, extra) {
      if (isRequest(message)) return hand(message, extra)
      if (isResponse(message)) {
        const own = ids.own(message.id)
        if (own === undefined) return
        awaited.delete(own)
        return hand({ ...message, id: own }, extra)
      }
      const token = ids.own(message.params?.['progressToken'])
      if (message.method === 'notifications/progress' && token !== undefined) {
        return hand({ ...message, params: { ...message.params, progressToken: token } }, extra)
      }
      hand(message, extra)
      const requestId = message.params?.['requestId']
      // The SDKs send nothing for a cancelled request, so its stream would wait for ever.
      if (message.method === 'notifications/cancelled' && isRequestId(requestId)) void running.get(requestId)?.call.cancel(requestId)
    },
    isAddressee(message) {
      if (isClosed) return false
      if (isResponse(message)) return ids.own(message.id) !== undefined
      if (isForAllServers(message)) return true
      if (message.method === 'notifications/progress') return ids.own(message.params?.['progressToken']) !== undefined
      const requestId = message.params?.['requestId']
      return message.method === 'notifications/cancelled' && isRequestId(requestId) && running.has(requestId)
    },
    callOf(opening) {
      for (const { call } of running.values()) if (call.opening() === opening) return call
      return undefined
    },
    isBusy: () => running.size > 0 || awaited.size > 0 || asked.size > 0,
    async drained() {
      await Promise.all([...running.values()].map(({ call }) => call.done))
    },
  }
}
