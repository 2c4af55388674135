import type { EventPage } from '@mcp-session/core/backend'

export const NEVER: number = Number.POSITIVE_INFINITY

export function sequencesOf(page: EventPage | undefined): number[] {
  if (page === undefined) throw new Error('the session is live, and still read gave undefined')
  return page.events.map((event) => event.sequence)
}
