/** The text of a tool's answer. An answer that is a tool's failure, or no text, is an `Error`. */
export function textOf(result: Readonly<Record<string, unknown>>): string {
  const [first]: unknown[] = Array.isArray(result['content']) ? result['content'] : []
  const text = typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : JSON.stringify(result)
  if (result['isError'] === true) throw new Error(`The tool failed: ${text}`)
  return text
}
