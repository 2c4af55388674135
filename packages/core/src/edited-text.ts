import { isKeyed } from './metadata.ts'

/**
 * The text `j` and plain JSON of `after`, made of that of `before`, where nothing but one primitive value of an object is another one:
 * writing 1 KB anew costs three times as much. Only if key and value stand in one place of the text, which is then theirs;
 * `undefined`: write it anew.
 */
export function editedText(text: string, before: unknown, after: unknown): string | undefined {
  if (!isKeyed(before) || !isKeyed(after)) return undefined
  const keys = Object.keys(after)
  const [key, another] = keys.filter((name) => before[name] !== after[name])
  if (key === undefined || another !== undefined || `${keys}` !== `${Object.keys(before)}`) return undefined
  const old = before[key]
  if (typeof old === 'object' && old !== null) return editedText(text, old, after[key])
  const start = `${JSON.stringify(key)}:`
  const rest = text.split(start + JSON.stringify(old))
  return rest.length === 2 && text.startsWith('j') ? rest.join(start + JSON.stringify(after[key])) : undefined
}
