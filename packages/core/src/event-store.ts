import { crc32 } from 'node:zlib'
import { checkPlainText, checkSize, checkString, checkWholeNumber, kindOf } from './arguments.ts'
import type { EventLog, EventPage, EventQuery, NewEvent, Retention, StoredEvent } from './backend.ts'
import { SessionError } from './errors.ts'
import { tooLarge } from './frozen-copy.ts'
import { isIdOfKind, visibleAscii } from './ids.ts'
import { sumText } from './seal.ts'
import type { SessionEvents } from './sessions.ts'
import type { Method, StoreParts } from './store-parts.ts'

const maxEventBytes = 4 * 1_048_576 - 16

/** The event log under the store's policy. Stored data is `1`, eight digits of CRC-32 over its place, and the data. */
export function eventStore<M>(parts: StoreParts<M>, log: EventLog, method: Method): SessionEvents {
  const { options, backend, calls } = parts

  return {
    append: (id, event, retention, given = {}) =>
      method('append', async () => {
        const sealed = sealEvent(id, checkEvent(event))
        const bounds = checkRetention(retention)
        const call = calls.begin(given.signal)
        if (!isIdOfKind(options.kind, id)) return undefined
        return (await calls.writeAgain(call, () => log.append(id, sealed, bounds, call))).value
      }),

    read: (id, query, given = {}) =>
      method('read', async () => {
        const checked = checkQuery(query)
        const call = calls.begin(given.signal)
        if (!isIdOfKind(options.kind, id)) return undefined
        const page = await calls.read(call, () => log.read(id, checked, call))
        return page === undefined ? undefined : verifiedPage(id, page)
      }),
  }

  /** A damaged event counts as trimmed: its readers go on, and know that something is missing. */
  function verifiedPage(id: string, page: EventPage): EventPage {
    const events = page.events.map((event) => openEvent(id, event))
    const whole = events.filter((event) => event !== undefined)
    if (whole.length === events.length) return { ...page, events: whole }
    const message = `${events.length - whole.length} stored events of session …${id.slice(-4)} on ${backend.info.name} do not match their checksum`
    options.onError(new SessionError('MCP_SESSION_CORRUPT', `${message}; they are skipped as trimmed`))
    return { ...page, events: whole, trimmed: true }
  }
}

function sealEvent(id: string, event: NewEvent): NewEvent {
  return { key: event.key, stream: event.stream, data: `1${checksum(id, event, event.data)}${event.data}` }
}

function openEvent(id: string, event: StoredEvent): StoredEvent | undefined {
  const data = event.data.slice(9)
  return event.data.startsWith(`1${checksum(id, event, data)}`) ? { ...event, data } : undefined
}

function checksum(id: string, { key, stream }: Pick<NewEvent, 'key' | 'stream'>, data: string): string {
  return sumText(crc32(data, crc32(`${id}\n${key}\n${stream}\n`)))
}

function checkEvent(event: NewEvent): NewEvent {
  checkText(event.key, 'event.key')
  checkText(event.stream, 'event.stream')
  if (!visibleAscii.test(event.key)) throw new RangeError('event.key must be visible ASCII (0x21–0x7E)')
  checkPlainText(event.data, 'event.data')
  if (Buffer.byteLength(event.data) > maxEventBytes) throw tooLarge('event.data', maxEventBytes)
  return event
}

function checkText(text: unknown, name: string): void {
  checkSize(checkString(text, name).length, name, 255, 'characters')
  checkPlainText(text, name)
}

function checkRetention(retention: Retention): Retention {
  if (typeof retention !== 'object' || retention === null) throw new TypeError(`retention must be an object, got ${kindOf(retention)}`)
  const { maxEvents, maxAgeMs, maxBytes, maxInternalAgeMs = Number.POSITIVE_INFINITY } = retention
  return {
    maxEvents: checkBound(maxEvents, 'retention.maxEvents', 1),
    maxAgeMs: checkBound(maxAgeMs, 'retention.maxAgeMs', 0),
    maxBytes: checkBound(maxBytes, 'retention.maxBytes', 0),
    maxInternalAgeMs: checkBound(maxInternalAgeMs, 'retention.maxInternalAgeMs', 0),
  }
}

function checkQuery({ streams, after, limit, maxAgeMs }: EventQuery): EventQuery {
  if (streams !== undefined) for (const stream of streams) checkText(stream, 'query.streams')
  return {
    after: checkWholeNumber(after, 'query.after', 0),
    limit: checkWholeNumber(limit, 'query.limit', 1, 10_000),
    maxAgeMs: checkBound(maxAgeMs, 'query.maxAgeMs', 0),
    ...(streams && { streams }),
  }
}

function checkBound(value: unknown, name: string, min: number): number {
  return value === Number.POSITIVE_INFINITY ? value : checkWholeNumber(value, name, min)
}
