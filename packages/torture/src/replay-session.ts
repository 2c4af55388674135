import { answerText, Broken, initialize, textOf } from './replay-client.ts'
import { type Frames, framesOf } from './replay-frames.ts'
import type { Stage, StagedCall } from './replay-server.ts'

/** What was sent on one stream of a session, in order. */
interface SentStream {
  readonly name: string
  readonly texts: string[]
  isEnded: boolean
}

/** What an event id stands for: the first so many messages of a stream. */
interface Place {
  readonly stream: SentStream
  readonly after: number
}

/** A response that is being read, and how far. */
interface Tail {
  readonly stream: SentStream
  readonly frames: Frames
  seen: number
}

interface RunningCall {
  readonly stream: SentStream
  readonly staged: StagedCall
  readonly response: Promise<Response>
  /** Unset until the first message, and after the client has hung up. */
  tail: Tail | undefined
}

export interface ReplaySessionOptions {
  readonly send: (request: Request) => Promise<Response>
  readonly stage: Stage
  /** Unique, and the same whenever the seed is. */
  readonly name: string
}

/** A session, its client and the model of what was sent in it. Every method but `open` says which law is broken by a `Broken`. */
export interface ReplaySession {
  /** Calls that run. */
  readonly calls: readonly unknown[]
  isListening(): boolean
  /** Event ids handed out so far, in order. */
  handedOut(): number
  /** Opens the standalone stream, and hangs up on the response before. */
  listen(): Promise<void>
  /** Hangs up on the standalone stream. */
  leave(): Promise<void>
  /** Sends a message without a call. */
  note(): Promise<void>
  begin(): Promise<void>
  /** Sends a message of a running call. */
  say(call: number): Promise<void>
  /** Answers a running call, and reads its response to the end if the client still does. */
  end(call: number): Promise<void>
  /** Hangs up on a running call, which goes on. */
  drop(call: number): Promise<void>
  /** Reads all that was sent on the streams that are open. */
  catchUp(): Promise<void>
  /** Resumes at the event id handed out with that number: just the later messages of its stream, and then the next one that is sent. */
  resume(handedOut: number): Promise<void>
  /** Ends the session. */
  close(): Promise<void>
}

const withinMs = 20_000

export async function openReplaySession({ send, stage, name }: ReplaySessionOptions): Promise<ReplaySession> {
  const client = await initialize(send)
  const standalone: SentStream = { name: 'standalone', texts: [], isEnded: false }
  const calls: RunningCall[] = []
  const places = new Map<string, Place>()
  const ids: string[] = []
  let listening: Tail | undefined
  let hasListened = false
  let sent = 0

  function newText(): string {
    sent += 1
    return `${name}.${sent}`
  }

  function callAt(index: number): RunningCall {
    const call = calls[index]
    if (call === undefined) throw new RangeError(`there is no call ${index}`)
    return call
  }

  /** An id stands for one place for ever, whichever response it came with. */
  function keepId(id: string | undefined, place: Place): void {
    if (id === undefined) throw new Broken(`a frame of ${place.stream.name} has no id`)
    const before = places.get(id)
    if (before === undefined) {
      places.set(id, place)
      ids.push(id)
    } else if (before.stream !== place.stream || before.after !== place.after) {
      throw new Broken(`the id ${id} stands for ${placeText(before)} and for ${placeText(place)}`)
    }
  }

  /** Reads the priming frame, which holds the place from which the response goes on. */
  async function tailOf(response: Response, place: Place): Promise<Tail> {
    const type = response.headers.get('content-type')
    if (response.status !== 200 || type !== 'text/event-stream') throw new Broken(`${placeText(place)}: ${await answerText(response)}`)
    const tail = { stream: place.stream, frames: framesOf(response), seen: place.after }
    const frame = await nextFrame(tail)
    if (frame === undefined || frame.data !== '') throw new Broken(`${placeText(place)}: the first frame is ${JSON.stringify(frame)}`)
    keepId(frame.id, place)
    return tail
  }

  function nextFrame(tail: Tail): ReturnType<Frames['next']> {
    return tail.frames.next(withinMs).catch((error: unknown) => {
      throw new Broken(`${placeText({ stream: tail.stream, after: tail.seen })}: ${error instanceof Error ? error.message : error}`)
    })
  }

  /** Reads up to the newest message; of an ended stream, to its end. */
  async function readAll(tail: Tail): Promise<void> {
    const { stream } = tail
    while (tail.seen < stream.texts.length) {
      const place = { stream, after: tail.seen + 1 }
      const frame = await nextFrame(tail)
      const text = frame === undefined ? undefined : textOf(frame.data)
      const expected = stream.texts[tail.seen]
      if (text !== expected)
        throw new Broken(`${placeText({ stream, after: tail.seen })} is followed by ${text ?? 'the end'}, not by ${expected}`)
      keepId(frame?.id, place)
      tail.seen += 1
    }
    if (!stream.isEnded) return
    const more = await nextFrame(tail)
    if (more !== undefined) throw new Broken(`the ended ${stream.name} goes on with ${textOf(more.data)}`)
  }

  async function leave(): Promise<void> {
    await listening?.frames.cancel()
    listening = undefined
  }

  async function note(): Promise<void> {
    const text = newText()
    await stage.note(client.sessionId, text)
    standalone.texts.push(text)
  }

  async function say(call: RunningCall): Promise<void> {
    const text = newText()
    await call.staged.say(text)
    call.stream.texts.push(text)
    // The first message has made a stream of the response.
    if (call.stream.texts.length === 1) call.tail = await tailOf(await call.response, { stream: call.stream, after: 0 })
  }

  async function end(call: RunningCall): Promise<void> {
    const text = newText()
    calls.splice(calls.indexOf(call), 1)
    const wasStream = call.stream.texts.length > 0
    call.stream.texts.push(text)
    call.stream.isEnded = true
    call.staged.end(text)
    if (call.tail !== undefined) await readAll(call.tail)
    if (wasStream) return
    const response = await call.response
    const answer = await response.text()
    if (response.headers.get('content-type') !== 'application/json' || textOf(answer) !== text) {
      throw new Broken(`a plain call is answered with ${response.status} ${answer}`)
    }
  }

  async function resume(id: string, place: Place): Promise<void> {
    const { stream, after } = place
    const call = calls.find((running) => running.stream === stream)
    await (stream === standalone ? leave() : hangUp(call))
    const response = await client.get(id)
    if (stream.isEnded && after === stream.texts.length) {
      if (response.status !== 204) throw new Broken(`${placeText(place)}, where nothing is left: ${await answerText(response)}`)
      return
    }
    const tail = await tailOf(response, place)
    await readAll(tail)
    if (stream.isEnded) return
    // What is sent now must come next: nothing else was replayed.
    if (stream === standalone) await note()
    else if (call !== undefined) await say(call)
    await readAll(tail)
    if (stream === standalone) listening = tail
    else if (call !== undefined) call.tail = tail
  }

  return {
    calls,
    isListening: () => listening !== undefined,
    handedOut: () => ids.length,
    async listen() {
      await leave()
      // The first time from the first message on, then from now on.
      const after = hasListened ? standalone.texts.length : 0
      hasListened = true
      listening = await tailOf(await client.get(), { stream: standalone, after })
    },
    leave,
    note,
    async begin() {
      const word = newText()
      const stream = { name: `call ${word}`, texts: [], isEnded: false }
      const params = { name: 'staged', arguments: { word } }
      const response = client.call(word, params)
      calls.push({ stream, staged: await stage.called(word), response, tail: undefined })
    },
    say: (index) => say(callAt(index)),
    end: (index) => end(callAt(index)),
    drop: (index) => hangUp(callAt(index)),
    async catchUp() {
      if (listening !== undefined) await readAll(listening)
      for (const { tail } of calls) if (tail !== undefined) await readAll(tail)
    },
    async resume(handedOut) {
      const id = ids[handedOut]
      const place = id === undefined ? undefined : places.get(id)
      if (id === undefined || place === undefined) throw new RangeError(`there is no event id ${handedOut}`)
      await resume(id, place)
    },
    async close() {
      await leave()
      for (const call of calls) {
        call.staged.end('unread')
        await hangUp(call)
      }
      const response = await client.delete()
      if (response.status !== 200) throw new Broken(`DELETE: ${await answerText(response)}`)
    },
  }
}

async function hangUp(call: RunningCall | undefined): Promise<void> {
  if (call?.tail === undefined) return
  await call.tail.frames.cancel()
  call.tail = undefined
}

function placeText({ stream, after }: Place): string {
  return `message ${after} of ${stream.name}`
}
