import { createParser } from 'eventsource-parser'
import type { FetchLike } from './stock-client.ts'

/** What is seen of a stock client's SSE streams from outside, through its `fetch`. */
export interface ClientStreams {
  readonly fetch: FetchLike
  /** The standalone stream, since its first GET. */
  readonly standalone: SeenStream
  /** The id from which the client asked for the standalone stream last: where its own reading is. */
  readonly place: string | undefined
  /**
   * It came back without an id, for this stream or for a call's: it had read no event of the connection before. It has lost that
   * place, and may now be given messages of the standalone stream twice.
   */
  readonly hasLostPlace: boolean
  /** Requests that the server answered with an error status. */
  readonly refusals: readonly string[]
  /** The client itself has read that id on the stream of the call with that argument `word`: from then on it can come back for it. */
  note(word: string, id: string): void
  /**
   * Why the client will not come back for the broken stream of a call that has not ended for it: it was refused twice, or had read
   * nothing of the connection that broke. `undefined`: it will.
   */
  givenUp(word: string): 'refused' | 'placeless' | undefined
  /** Whether the stream of that call is open. */
  isOpen(word: string): boolean
  /** What happened to that stream, and when, in ms since its request. */
  story(word: string): string
}

/** One stream, whatever connections carried it. */
export interface SeenStream {
  /** Its first event has come, and it has not ended since. */
  readonly isOpen: boolean
  /** When it was opened last, on the scale of `performance.now()`. */
  readonly openedAt: number
  /** It broke, and a stock client will not come back for it. */
  readonly isGivenUp: boolean
}

interface Stream extends SeenStream {
  isOpen: boolean
  openedAt: number
  isGivenUp: boolean
  isBroken: boolean
  /** The id that the client has read last, of a call; whether that was on the present connection. */
  id: string | undefined
  isRead: boolean
  isPlaceless: boolean
  failures: number
  readonly story: string[]
  readonly since: number
}

/** Both majors try that often to come back for a stream, counted anew after each success. */
const stockRetries = 2

/** Watches the requests of one client. `changed` is called whenever a stream does. */
export function watchStreams(changed: () => void): ClientStreams {
  const standalone = newStream()
  const calls = new Map<string, Stream>()
  const refusals: string[] = []
  let place: string | undefined
  let hasLostPlace = false
  let gets = 0

  async function watch(stream: Stream, method: string, asking: Promise<Response>): Promise<Response> {
    tell(stream, method)
    let response: Response
    try {
      response = await asking
    } catch (error) {
      failed(stream, error instanceof Error ? String(error.cause ?? error.message) : String(error))
      throw error
    }
    const { ok, status, headers, body } = response
    if (!ok) {
      refusals.push(`${method} ${status}`)
      failed(stream, String(status))
      return response
    }
    tell(stream, String(status))
    stream.failures = 0
    const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true
    return isStream && body !== null ? new Response(read(stream, body), response) : response
  }

  function failed(stream: Stream, why: string): void {
    tell(stream, why)
    stream.failures += 1
    // The very first GET is not tried again.
    if (stream.failures >= stockRetries || (stream === standalone && stream.openedAt === 0)) stream.isGivenUp = true
    changed()
  }

  /** Passes the bytes on, and reads them. */
  function read(stream: Stream, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const parser = createParser({ onEvent: () => opened(stream) })
    stream.isBroken = false
    stream.isRead = false
    const ended = (how: string): void => {
      tell(stream, how)
      stream.isOpen = false
      stream.isBroken = true
      changed()
    }
    const source = {
      async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
        try {
          const { value, done } = await reader.read()
          if (value !== undefined) {
            parser.feed(decoder.decode(value, { stream: true }))
            controller.enqueue(value)
          }
          if (!done) return
          ended('end')
          controller.close()
        } catch (error) {
          ended('broken')
          controller.error(error)
        }
      },
      async cancel(reason: unknown) {
        ended('left')
        await reader.cancel(reason)
      },
    }
    // Nothing is kept here: what lies in a queue when the connection breaks would be lost to the client.
    return new ReadableStream(source, { highWaterMark: 0 })
  }

  function opened(stream: Stream): void {
    if (stream.isOpen) return
    tell(stream, 'event')
    stream.isOpen = true
    stream.openedAt = performance.now()
    changed()
  }

  function come(id: string | undefined): Stream {
    for (const call of calls.values()) if (id !== undefined && call.id === id) return call
    if (id === undefined && gets > 0) {
      hasLostPlace = true
      for (const call of calls.values()) call.isPlaceless ||= call.isBroken && !call.isRead
    }
    if (!hasLostPlace && id !== undefined) place = id
    gets += 1
    return standalone
  }

  return {
    standalone,
    refusals,
    get place() {
      return place
    },
    get hasLostPlace() {
      return hasLostPlace
    },
    note(word, id) {
      const call = calls.get(word)
      if (call === undefined) return
      call.id = id
      call.isRead = true
    },
    givenUp(word) {
      const call = calls.get(word)
      if (call === undefined) return undefined
      if (call.isGivenUp) return 'refused'
      return call.isPlaceless || (call.isBroken && !call.isRead) ? 'placeless' : undefined
    },
    isOpen: (word) => calls.get(word)?.isOpen === true,
    story: (word) => calls.get(word)?.story.join(', ') ?? 'no request',
    async fetch(url, init) {
      const asking = fetch(url, init)
      if (init?.method === 'GET') return watch(come(new Headers(init.headers).get('last-event-id') ?? undefined), 'GET', asking)
      const word = init?.method === 'POST' ? wordOf(init.body) : undefined
      const stream = newStream()
      if (word !== undefined) calls.set(word, stream)
      return watch(stream, init?.method ?? 'GET', asking)
    },
  }
}

function newStream(): Stream {
  const since = performance.now()
  const read = { id: undefined, isRead: false, isPlaceless: false }
  return { ...read, isOpen: false, openedAt: 0, isGivenUp: false, isBroken: false, failures: 0, story: [], since }
}

function tell(stream: Stream, what: string): void {
  stream.story.push(`${Math.round(performance.now() - stream.since)} ${what}`)
}

/** The argument of the tool call that a POST's body holds. */
function wordOf(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined
  const message: { params?: { arguments?: { word?: string } } } = JSON.parse(body)
  return message.params?.arguments?.word
}
