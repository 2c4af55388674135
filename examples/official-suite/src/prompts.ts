import { type Content, embedded, text } from './content.ts'
import { redPixel } from './media.ts'

/** A prompt, for both SDK majors. */
export interface Prompt {
  readonly name: string
  readonly description: string
  readonly arguments: readonly PromptArgument[]
  /** Contents of the user's messages. */
  readonly messages: (given: Readonly<Record<string, string>>) => readonly Content[]
}

export interface PromptArgument {
  readonly name: string
  readonly description: string
  /** What the completion of this argument is chosen from. */
  readonly words: readonly string[]
}

/** The names, arguments and messages are the suite's. */
export const prompts: readonly Prompt[] = [
  {
    name: 'test_simple_prompt',
    description: 'A prompt without arguments',
    arguments: [],
    messages: () => [text('This is a simple prompt for testing.')],
  },
  {
    name: 'test_prompt_with_arguments',
    description: 'A prompt with two arguments',
    arguments: [
      { name: 'arg1', description: 'First test argument', words: ['paris', 'park', 'party', 'test'] },
      { name: 'arg2', description: 'Second test argument', words: [] },
    ],
    messages: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A prompt with a resource in it',
    arguments: [{ name: 'resourceUri', description: 'URI of the resource to embed', words: ['test://static-text'] }],
    messages: ({ resourceUri = '' }) => [
      embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.'),
    ],
  },
  {
    name: 'test_prompt_with_image',
    description: 'A prompt with an image in it',
    arguments: [],
    messages: () => [{ type: 'image', data: redPixel, mimeType: 'image/png' }, text('Please analyze the image above.')],
  },
]

/** The words that begin as the user has typed. */
export function completions({ words }: PromptArgument, typed: string): string[] {
  return words.filter((word) => word.startsWith(typed))
}
