import type { CallEars } from './stock-client.ts'

/** The options of a tool call, as both majors name them. */
export interface ToolCallOptions {
  readonly onprogress?: (given: { readonly progress: number }) => void
  readonly onresumptiontoken?: (id: string) => void
}

export function callOptions({ onStep, onId }: CallEars): ToolCallOptions {
  return {
    ...(onStep === undefined ? {} : { onprogress: ({ progress }) => onStep(progress) }),
    ...(onId === undefined ? {} : { onresumptiontoken: onId }),
  }
}

/** The text of a tool's answer. An answer that is a tool's failure, or no text, is an `Error`. */
export function textOf(result: Readonly<Record<string, unknown>>): string {
  const [first]: unknown[] = Array.isArray(result['content']) ? result['content'] : []
  const text = typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : JSON.stringify(result)
  if (result['isError'] === true) throw new Error(`The tool failed: ${text}`)
  return text
}
