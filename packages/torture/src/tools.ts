import { z } from 'zod'

/** One call of a tool, in words that both majors of the SDK know. */
export interface ToolCall extends ToolArguments {
  /** Tells the client of a step, where it asked for that; resolves after the durable append. */
  progress(step: number): Promise<void>
  /** Asks the client's user for a word: on the stream of this call, or on the standalone stream. */
  elicit(word: string, on: 'call' | 'stream'): Promise<string>
}

/** Answers a text. A throw is a tool error. */
export type Tool = (call: ToolCall) => Promise<string>

/** What every tool takes; each reads of it what it needs. */
export interface ToolArguments {
  readonly word: string
  /** How long the tool takes, in milliseconds. */
  readonly ms: number
  /** The stream on which the client is asked. */
  readonly on: 'call' | 'stream'
}

type ArgumentShape = {
  readonly word: z.ZodDefault<z.ZodString>
  readonly ms: z.ZodDefault<z.ZodNumber>
  readonly on: z.ZodDefault<z.ZodEnum<{ call: 'call'; stream: 'stream' }>>
}

export const argumentShape: ArgumentShape = {
  word: z.string().default(''),
  ms: z.number().default(0),
  on: z.enum(['call', 'stream']).default('call'),
}

/** A form with one field, `word`. */
interface WordQuestion {
  readonly message: string
  readonly requestedSchema: { type: 'object'; properties: { word: { type: 'string' } }; required: string[] }
}

/** The question that a client's user is put. */
export function wordQuestion(message: string): WordQuestion {
  return { message, requestedSchema: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] } }
}
