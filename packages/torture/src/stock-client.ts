import { type ClientStreams, watchStreams } from './client-streams.ts'
import { connectV1 } from './client-v1.ts'
import { connectV2 } from './client-v2.ts'
import type { ToolArguments } from './tools.ts'

/** An SDK client with stock options, and what is seen of its streams. */
export interface StockClient extends SdkClient {
  readonly streams: ClientStreams
}

/** What both majors' clients can do, in one form. */
export interface SdkClient {
  sessionId(): string | undefined
  /** The text of a tool's answer. Rejects with what the SDK rejects with, and where the tool failed. */
  call(name: string, args?: Partial<ToolArguments>, hears?: CallEars): Promise<string>
  /** Ends its streams; the session stays. */
  close(): Promise<void>
}

export interface CallEars {
  /** A step of the call's progress. */
  readonly onStep?: (step: number) => void
  /** An event id that the client has read on the call's stream. */
  readonly onId?: (id: string) => void
}

/** What a client does with what the server sends by itself. */
export interface ClientEars {
  /** The data of a log message. */
  readonly log: (data: unknown) => void
  /** The word that the user answers an elicitation with. */
  readonly asked: (message: string) => string
}

export type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>

/** Connects a client of that major. `changed` is called whenever one of its streams does. */
export async function connectClient(major: 1 | 2, url: URL, ears: ClientEars, changed: () => void): Promise<StockClient> {
  const streams = watchStreams(changed)
  const client = await (major === 1 ? connectV1 : connectV2)(url, ears, streams.fetch)
  return {
    ...client,
    streams,
    call(name, args = {}, hears = {}) {
      return client.call(name, args, { ...hears, onId: (id) => streams.note(args.word ?? '', id) })
    },
  }
}
