import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'

/** Where a store is: what a process needs to open its backend there. */
export interface StorePlace {
  readonly backend: string
  /** Of a file. */
  readonly path?: string
  /** Of a file: `false` where power cuts are not what is tried, and speed matters. */
  readonly durable?: boolean
}

/** A place as a text that a process can be given. */
export function placeText(place: StorePlace): string {
  return JSON.stringify(place)
}

/** The backend at such a place, not open yet. */
export function backendOf(text: string): SessionBackend {
  const place: StorePlace = JSON.parse(text)
  const open = openers[place.backend]
  if (open === undefined) throw new RangeError(`No backend is known for ${text}`)
  return open(place)
}

const openers: Readonly<Record<string, (place: StorePlace) => SessionBackend>> = {
  memory: () => memoryBackend(),
  sqlite: ({ path = '', durable }) => sqliteBackend({ path, durable }),
}
