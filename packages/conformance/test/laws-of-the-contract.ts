import { readFileSync } from 'node:fs'

const contract = new URL('../../core/src/backend.ts', import.meta.url)

/** The laws as `backend.ts` words them: id and text, in order. */
export function lawsOfTheContract(): readonly (readonly [id: string, text: string])[] {
  const head = readFileSync(contract, 'utf8').split('*/', 1)[0] ?? ''
  const lines = head.split('\n').map((line) => line.replace(/^ \* ?/, ''))
  const laws: [string, string][] = []
  let open = false
  for (const line of lines) {
    const start = /^@law (\S+) (.*)$/.exec(line)
    const last = laws.at(-1)
    if (start?.[1] !== undefined && start[2] !== undefined) {
      laws.push([start[1], start[2].trim()])
      open = true
    } else if (open && line.startsWith('  ') && last !== undefined) last[1] += ` ${line.trim()}`
    else open = false
  }
  return laws
}

/** `src/laws.ts` as it has to be for the contract as it is. */
export function lawsModule(): string {
  const rows = lawsOfTheContract().map(([id, text]) => row(id, literal(text)))
  return [
    '/** The laws of the contract, word for word as `@mcp-session/core/backend` has them; `test/laws.test.ts` keeps both equal. */',
    'export const laws = {',
    ...rows,
    '} as const',
    '',
    'export type LawId = keyof typeof laws',
    '',
  ].join('\n')
}

/** Laid out as the formatter does. */
function row(id: string, text: string): string {
  const line = `  '${id}': ${text},`
  return line.length <= 140 ? line : `  '${id}':\n    ${text},`
}

function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\')
  const singles = text.split("'").length
  const doubles = text.split('"').length
  return singles > doubles ? `"${escaped.replaceAll('"', '\\"')}"` : `'${escaped.replaceAll("'", "\\'")}'`
}
