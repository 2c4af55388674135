import type { EventLog, EventPage, Retention, SessionRecord, StoredEvent } from '../src/backend.ts'
import type { ScriptedMethod } from './scripted-backend.ts'

type React = <T>(method: ScriptedMethod, args: readonly unknown[], apply: () => Promise<T>) => Promise<T>

interface Log {
  events: StoredEvent[]
  last: number
}

export interface ScriptedEvents {
  readonly log: EventLog
  forget(id: string): void
}

/** The event log of the scripted backend. */
export function scriptedEvents(react: React, live: (id: string, now: number) => SessionRecord | undefined): ScriptedEvents {
  const logs = new Map<string, Log>()

  function logOf(id: string): Log {
    const log = logs.get(id) ?? { events: [], last: 0 }
    logs.set(id, log)
    return log
  }

  const log: EventLog = {
    append: (id, event, retention, call) =>
      react('append', [id, event, retention, call], async () => {
        if (live(id, call.now) === undefined) return undefined
        const kept = logOf(id)
        const known = kept.events.find((stored) => stored.key === event.key)
        if (known !== undefined) return known.sequence
        kept.last += 1
        kept.events.push({ ...event, sequence: kept.last, createdAt: call.now })
        kept.events = trimmed(kept.events, retention, call.now)
        return kept.last
      }),
    read: (id, { streams, after, limit, maxAgeMs }, call) =>
      react('read', [id, { streams, after, limit, maxAgeMs }, call], async (): Promise<EventPage | undefined> => {
        if (live(id, call.now) === undefined) return undefined
        const { events, last } = logOf(id)
        const asked = events.filter((event) => streams?.includes(event.stream) ?? true)
        const fresh = asked.filter((event) => event.sequence > after && event.createdAt >= call.now - maxAgeMs)
        return { events: fresh.slice(0, limit).map((event) => ({ ...event })), last, trimmed: after > last }
      }),
    restore: async (id, page, call) => {
      if (live(id, call.now) === undefined) return false
      logs.set(id, { events: [...page.events], last: page.last })
      return true
    },
  }

  return { log, forget: (id) => void logs.delete(id) }
}

function trimmed(events: StoredEvent[], { maxEvents, maxAgeMs, maxBytes }: Retention, now: number): StoredEvent[] {
  let bytes = 0
  let kept = 0
  const newestFirst = events.toReversed().filter((event, index) => {
    if (event.stream.startsWith('!')) return true
    bytes += Buffer.byteLength(event.data)
    kept += 1
    return index === 0 || (kept <= maxEvents && bytes <= maxBytes && event.createdAt >= now - maxAgeMs)
  })
  return newestFirst.toReversed()
}
