import { setTimeout as after } from 'node:timers/promises'
import type { EventLog, NewEvent, SessionBackend, StoredEvent } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'

/** The backend with a bug in it that the harness `kills` must find. `undefined` plants none. */
export function plantKillBug(plant: string | undefined, backend: SessionBackend): SessionBackend {
  const { events } = backend
  if (plant === undefined) return backend
  // Sessions die with their process.
  if (plant === 'volatile') return memoryBackend()
  const bug = logBugs[plant]
  if (events === undefined || bug === undefined) throw new RangeError(`No bug is called ${plant}`)
  return { ...backend, events: { ...events, ...bug(events) } }
}

const standalone = 'standalone'

const logBugs: Readonly<Record<string, (log: EventLog) => Partial<EventLog>>> = {
  /** Acknowledges what is stored only later. */
  early(log) {
    return appending(log, ({ stream }, append) => {
      if (stream !== standalone) return append()
      void after(300).then(() => append())
      return Number.MAX_SAFE_INTEGER
    })
  },
  /** The first stream that a process resumes goes on one message too late. */
  'off-by-one'(log) {
    let isFirst = true
    return reading(log, (events, after) => {
      if (!isFirst || after === 0 || events.length === 0) return events
      isFirst = false
      return events.slice(1)
    })
  },
  /** Some messages are given twice. */
  twice(log) {
    return reading(log, (events) => events.flatMap((event) => (event.sequence % 5 === 0 ? [event, event] : [event])))
  },
  /** Shows messages that are read together in the wrong order. */
  swapped(log) {
    return reading(log, (events) => [...events].reverse())
  },
  /** Nobody ends the calls of a dead process. */
  hanging(log) {
    return appending(log, async ({ key, data }, append) => {
      if (!key.startsWith('end.') || !data.includes('"error"')) return append()
      await after(500)
      return Number.MAX_SAFE_INTEGER
    })
  },
}

function appending(
  log: EventLog,
  append: (event: NewEvent, append: () => Promise<number | undefined>) => Promise<number | undefined> | number,
): Pick<EventLog, 'append'> {
  return {
    async append(id, event, retention, call) {
      return append(event, () => log.append(id, event, retention, call))
    },
  }
}

/** What is read of the standalone stream. */
function reading(log: EventLog, change: (events: readonly StoredEvent[], after: number) => readonly StoredEvent[]): Pick<EventLog, 'read'> {
  return {
    async read(id, query, call) {
      const page = await log.read(id, query, call)
      if (page === undefined || query.streams?.includes(standalone) !== true) return page
      return { ...page, events: change(page.events, query.after) }
    },
  }
}
