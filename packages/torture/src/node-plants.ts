import type { EventLog, SessionBackend } from '@mcp-session/core/backend'

/** The backend with a bug in it that the harness `nodes` must find. `undefined` plants none. */
export function plantNodeBug(plant: string | undefined, backend: SessionBackend): SessionBackend {
  const { events } = backend
  if (plant === undefined || toolBugs.includes(plant)) return backend
  const bug = logBugs[plant]
  if (events === undefined || bug === undefined) throw new RangeError(`No bug is called ${plant}`)
  return { ...backend, events: { ...events, ...bug(events) } }
}

/** Bugs of the tools: a counter by reading and writing, and the answers of other calls. */
const toolBugs: readonly string[] = ['reread', 'crossed']

const logBugs: Readonly<Record<string, (log: EventLog) => Pick<EventLog, 'append'>>> = {
  /** An answer for a server on another node reaches nobody. */
  'local-answers': (log) => dropping(log, ({ data }) => data.includes('{"message":{') && data.includes('"result":')),
  /** What a live server says by itself is lost now and then. */
  'lost-news': (log) =>
    dropping(log, ({ stream, data }) => stream === 'standalone' && data.includes('notifications/message') && isEvery(2)),
}

function dropping(
  log: EventLog,
  isDropped: (event: { readonly stream: string; readonly data: string }) => boolean,
): Pick<EventLog, 'append'> {
  return {
    async append(id, event, retention, call) {
      return isDropped(event) ? Number.MAX_SAFE_INTEGER : log.append(id, event, retention, call)
    },
  }
}

let count = 0

function isEvery(nth: number): boolean {
  count += 1
  return count % nth === 0
}
