import { createParser } from 'eventsource-parser'
import type { FetchLike } from './stock-client.ts'

/** What is seen of a stock client's SSE streams from outside, through its `fetch`. */
export interface ClientStreams {
  readonly fetch: FetchLike
  /** The standalone stream, since its first GET. */
  readonly standalone: SeenStream
  /** The id from which the client asked for the standalone stream last: where its own reading is. */
  readonly place: string | undefined
  /** It came back for that stream without an id, and starts at the present: a connection that ended before its first event does that. */
  readonly hasLostPlace: boolean
  /** What a call was about whose stream the client has given up, by the argument `word`: it will hear no more of it. */
  isGivenUp(word: string): boolean
}

/** One stream, whatever connections carried it. */
export interface SeenStream {
  /** Its first bytes have come, and it has not ended since. */
  readonly isOpen: boolean
  /** When it was opened last, on the scale of `performance.now()`. */
  readonly openedAt: number
  /** It broke, and a stock client will not come back for it. */
  readonly isGivenUp: boolean
}

interface Stream extends SeenStream {
  isOpen: boolean
  openedAt: number
  /** The id received last. */
  lastId: string | undefined
  isGivenUp: boolean
  readonly word: string | undefined
  isAnswered: boolean
  failures: number
}

/** Both majors try that often to come back for a stream, counted anew after each success. */
const stockRetries = 2

/** Watches the requests of one client. `changed` is called whenever a stream does. */
export function watchStreams(changed: () => void): ClientStreams {
  const standalone = newStream(undefined)
  const calls: Stream[] = []
  const place = { id: undefined as string | undefined, isLost: false, isFirst: true }

  async function watch(stream: Stream, asking: Promise<Response>): Promise<Response> {
    const response = await asking.catch((error: unknown) => failed(stream, error))
    if (!response.ok) await failed(stream, undefined)
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    if (!response.ok || !isStream || response.body === null) return response
    return new Response(read(stream, response.body), response)
  }

  async function failed(stream: Stream, error: unknown): Promise<never> {
    stream.failures += 1
    // The very first GET is not tried again.
    stream.isGivenUp = stream.failures >= stockRetries || (stream === standalone && stream.openedAt === 0)
    changed()
    throw error
  }

  /** Passes the bytes on, and reads them. */
  function read(stream: Stream, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const parser = createParser({ onEvent: ({ id, data }) => onEvent(stream, id, data) })
    const ended = (): void => {
      stream.isOpen = false
      if (stream !== standalone && !stream.isAnswered && stream.lastId === undefined) stream.isGivenUp = true
      changed()
    }
    return new ReadableStream({
      async pull(controller) {
        try {
          const { value, done } = await reader.read()
          if (value !== undefined) {
            parser.feed(decoder.decode(value, { stream: true }))
            controller.enqueue(value)
          }
          if (done) {
            ended()
            controller.close()
          }
        } catch (error) {
          ended()
          controller.error(error)
        }
      },
      async cancel(reason) {
        ended()
        await reader.cancel(reason)
      },
    })
  }

  function onEvent(stream: Stream, id: string | undefined, data: string): void {
    if (!stream.isOpen) stream.openedAt = performance.now()
    stream.isOpen = true
    stream.failures = 0
    if (id !== undefined) stream.lastId = id
    if (isAnswer(data)) stream.isAnswered = true
    changed()
  }

  function askedFrom(id: string | undefined): void {
    if (id === undefined && !place.isFirst) place.isLost = true
    place.isFirst = false
    if (!place.isLost) place.id = id ?? place.id
  }

  return {
    standalone,
    get place() {
      return place.id
    },
    get hasLostPlace() {
      return place.isLost
    },
    isGivenUp: (word) => calls.some((stream) => stream.word === word && stream.isGivenUp && !stream.isAnswered),
    async fetch(url, init) {
      const asking = fetch(url, init)
      if (init?.method === 'POST') {
        const stream = newStream(wordOf(init.body))
        if (stream.word !== undefined) calls.push(stream)
        return watch(stream, asking)
      }
      if (init?.method !== 'GET') return asking
      const resumed = new Headers(init.headers).get('last-event-id') ?? undefined
      const call = resumed === undefined ? undefined : calls.find(({ lastId }) => lastId === resumed)
      if (call === undefined) askedFrom(resumed)
      return watch(call ?? standalone, asking)
    },
  }
}

function newStream(word: string | undefined): Stream {
  return { isOpen: false, openedAt: 0, lastId: undefined, isGivenUp: false, word, isAnswered: false, failures: 0 }
}

/** The argument of the tool call that a POST's body holds. */
function wordOf(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined
  const message: { params?: { arguments?: { word?: string } } } = JSON.parse(body)
  return message.params?.arguments?.word
}

function isAnswer(data: string): boolean {
  if (data === '') return false
  const message: object = JSON.parse(data)
  return 'result' in message || 'error' in message
}
