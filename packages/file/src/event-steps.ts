import type { EventPage, NewEvent, Retention } from '@mcp-session/core/backend'
import { type EventsHead, eventsFrame, readEventsFrame, type WrittenEvent } from './event-frames.ts'
import type { Judge, Step } from './lane.ts'
import type { Reading } from './reading.ts'
import { nothing, writes } from './record-steps.ts'
import { sessionEvents } from './session-events.ts'
import type { Table } from './table.ts'

/** What writing calls on events do, as steps of the write lane. */
export interface EventSteps {
  append(sessionId: string, event: NewEvent, retention: Retention, now: number): Judge<number | undefined>
  restore(sessionId: string, page: EventPage, now: number): Judge<boolean>
}

export function eventSteps(table: Table, reading: Reading): EventSteps {
  function append(id: string, event: NewEvent, retention: Retention, now: number): Judge<number | undefined> {
    return () => {
      if (table.live(id, now) === -1) return nothing(undefined)
      const plan = eventsOf(id).planAppend(event, retention, now)
      if ('known' in plan) return nothing(plan.known)
      const { head, sequence } = plan
      return stores({ ...head, id }, [{ ...event, sequence, createdAt: now }], sequence)
    }
  }

  function restore(id: string, page: EventPage, now: number): Judge<boolean> {
    return () => {
      if (table.live(id, now) === -1) return nothing(false)
      const { head, events } = eventsOf(id).planRestore(page)
      return stores({ ...head, id }, events, true)
    }
  }

  /** A session without events costs nothing until its first one is on disk. */
  function eventsOf(id: string): ReturnType<typeof sessionEvents> {
    return table.eventsOf(id) ?? sessionEvents({ bytes: 0 })
  }

  function stores<T>(head: EventsHead, events: readonly WrittenEvent[], result: T): Step<T> {
    const frame = eventsFrame(head, events)
    return writes([frame], false, ([at = 0]) => {
      const written = readEventsFrame(frame, 0)
      table.eventsFor(head.id).apply(written.head, written.events, at, frame.length)
      for (const [index, event] of written.events.entries()) {
        const data = events[index]?.data
        if (typeof data === 'string') reading.rememberEvent(at + event.at, data)
      }
      return result
    })
  }

  return { append, restore }
}
