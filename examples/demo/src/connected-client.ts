import { z } from 'zod'

/** What the tool `count` of every server in the demo answers. */
export interface CountResult {
  readonly counter: number
  /** Of the process that answered. */
  readonly pid: number
  /** The name that the client gave in its handshake, as the server knows it. */
  readonly client: string
}

export const countResult: z.ZodType<CountResult> = z.object({ counter: z.number(), pid: z.number(), client: z.string() })

/** An SDK's own client after its handshake, the same for both majors. */
export interface ConnectedClient {
  readonly client: object
  readonly transport: object
  /** What it called itself in the handshake. */
  readonly name: string
  /** Whether the client still works through the transport that it was connected with. */
  isWhole(): boolean
  sessionId(): string | undefined
  count(): Promise<CountResult>
  /** The SDK's DELETE. */
  terminateSession(): Promise<void>
  close(): Promise<void>
}
