/** The fields of a reply to INFO. */
export function infoOf(reply: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = Object.create(null)
  for (const line of reply.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) fields[line.slice(0, colon)] = line.slice(colon + 1)
  }
  return fields
}
