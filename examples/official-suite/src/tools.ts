import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type Content, embedded, text } from './content.ts'
import { choicesForm, contactForm, defaultsForm } from './forms.ts'
import { redPixel, silence } from './media.ts'
import { postalContact } from './postal-contact.ts'
import type { RunningCall } from './running-call.ts'

/** A tool, for both SDK majors. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly input: z.ZodObject
  /** What is thrown becomes an answer with `isError`. */
  readonly run: (call: RunningCall, input: Readonly<Record<string, unknown>>) => Content[] | Promise<Content[]>
}

const nothing = z.object({})
/** The suite asks for pauses of about that length, so that its client can see one message after the other. */
const pauseMs = 50

/** The names, inputs and answers are the suite's. */
export const tools: readonly Tool[] = [
  {
    name: 'test_simple_text',
    description: 'Answers with text',
    input: nothing,
    run: () => [text('This is a simple text response for testing.')],
  },
  {
    name: 'test_image_content',
    description: 'Answers with an image',
    input: nothing,
    run: () => [{ type: 'image', data: redPixel, mimeType: 'image/png' }],
  },
  {
    name: 'test_audio_content',
    description: 'Answers with sound',
    input: nothing,
    run: () => [{ type: 'audio', data: silence, mimeType: 'audio/wav' }],
  },
  {
    name: 'test_embedded_resource',
    description: 'Answers with a resource',
    input: nothing,
    run: () => [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  },
  {
    name: 'test_multiple_content_types',
    description: 'Answers with text, an image and a resource',
    input: nothing,
    run: () => [
      text('Multiple content types test:'),
      { type: 'image', data: redPixel, mimeType: 'image/png' },
      embedded('test://mixed-content-resource', 'application/json', JSON.stringify({ test: 'data', value: 123 })),
    ],
  },
  {
    name: 'test_error_handling',
    description: 'Fails',
    input: nothing,
    run() {
      throw new Error('This tool intentionally returns an error for testing')
    },
  },
  {
    name: 'test_tool_with_logging',
    description: 'Sends three log messages while it runs',
    input: nothing,
    async run(call) {
      await call.log('Tool execution started')
      await pause(pauseMs)
      await call.log('Tool processing data')
      await pause(pauseMs)
      await call.log('Tool execution completed')
      return [text('Tool with logging executed successfully')]
    },
  },
  {
    name: 'test_tool_with_progress',
    description: 'Tells its progress three times',
    input: nothing,
    async run(call) {
      await call.progress(0)
      await pause(pauseMs)
      await call.progress(50)
      await pause(pauseMs)
      await call.progress(100)
      return [text('Tool with progress executed successfully')]
    },
  },
  {
    name: 'test_reconnection',
    description: 'Ends its HTTP response before it answers (SEP-1699)',
    input: nothing,
    async run(call) {
      call.closeStream()
      await pause(2 * pauseMs)
      return [text('Reconnection test completed successfully.')]
    },
  },
  {
    name: 'test_sampling',
    description: "Asks the client's model",
    input: z.object({ prompt: z.string().describe('What to ask the model') }),
    run: async (call, { prompt }) => [text(`LLM response: ${await call.sample(String(prompt))}`)],
  },
  {
    name: 'test_elicitation',
    description: 'Asks the user',
    input: z.object({ message: z.string().describe('What to tell the user') }),
    async run(call, { message }) {
      const { action, content } = await call.elicit(String(message), contactForm)
      return [text(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`)]
    },
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks the user, with defaults (SEP-1034)',
    input: nothing,
    run: async (call) => completed(await call.elicit('Please review the fields', defaultsForm)),
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks the user to choose (SEP-1330)',
    input: nothing,
    run: async (call) => completed(await call.elicit('Please choose', choicesForm)),
  },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Tool with JSON Schema 2020-12 features',
    input: postalContact,
    run: (_call, input) => [text(`JSON Schema 2020-12 tool called with: ${JSON.stringify(input)}`)],
  },
]

function completed({ action, content }: { readonly action: string; readonly content?: unknown }): Content[] {
  return [text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`)]
}
