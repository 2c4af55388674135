import type {
  EventPage,
  EventQuery,
  ListQuery,
  NewEvent,
  ReplaceResult,
  Retention,
  SessionRecord,
  StoredEvent,
  Touch,
  TouchResult,
} from '@mcp-session/core/backend'

/** The contract in as few lines as possible: what a backend has to answer, call after call. Not fast, and nowhere in use but here. */
export interface ReferenceModel {
  create(record: SessionRecord, now: number): boolean
  get(id: string, now: number): SessionRecord | undefined
  replace(record: SessionRecord, expectedRev: string, now: number): ReplaceResult
  touch(touch: Touch, now: number): TouchResult
  delete(id: string, expectedRev: string | undefined, now: number): boolean
  /** All live records that the query names, by id. */
  list(query: Pick<ListQuery, 'owner' | 'prefix' | 'data'>, now: number): SessionRecord[]
  /** How many expired ones a sweep finds; all of them are deleted. */
  sweep(now: number): number
  /** The event's sequence is what the backend gave: which number it takes is its own affair, as long as it is a new one. */
  append(id: string, event: NewEvent, retention: Retention, now: number, given: number | undefined): number | undefined
  read(id: string, query: Omit<EventQuery, 'limit'>, now: number): EventPage | undefined
}

interface Life {
  record: SessionRecord
  events: StoredEvent[]
  last: number
  readonly gone: { readonly stream: string; readonly sequence: number }[]
}

export function referenceModel(): ReferenceModel {
  const lives = new Map<string, Life>()
  const live = (id: string, now: number): Life | undefined => {
    const life = lives.get(id)
    return life === undefined || life.record.expiresAt <= now ? undefined : life
  }

  return {
    create(record, now) {
      if (live(record.id, now) !== undefined) return false
      lives.set(record.id, { record, events: [], last: 0, gone: [] })
      return true
    },
    get: (id, now) => live(id, now)?.record,
    replace(record, expectedRev, now) {
      const life = live(record.id, now)
      if (life?.record.rev !== expectedRev) return { replaced: false, current: life?.record }
      life.record = record
      return { replaced: true }
    },
    touch({ id, rev, lastAccessedAt, expiresAt }, now) {
      const life = live(id, now)
      if (life === undefined) return 'missing'
      if (life.record.rev !== rev) return 'moved'
      const { record } = life
      life.record = {
        ...record,
        lastAccessedAt: Math.max(record.lastAccessedAt, lastAccessedAt),
        expiresAt: Math.max(record.expiresAt, expiresAt),
      }
      return 'touched'
    },
    delete(id, expectedRev, now) {
      const life = live(id, now)
      if (life === undefined || (expectedRev !== undefined && life.record.rev !== expectedRev)) return false
      return lives.delete(id)
    },
    list({ owner, prefix = '', data = true }, now) {
      return [...lives.values()]
        .map(({ record }) => record)
        .filter((record) => record.expiresAt > now && record.id.startsWith(prefix) && (owner === undefined || record.owner === owner))
        .map((record) => (data ? record : { ...record, data: '' }))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    sweep(now) {
      const expired = [...lives.values()].filter(({ record }) => record.expiresAt <= now)
      for (const { record } of expired) lives.delete(record.id)
      return expired.length
    },
    append(id, event, retention, now, given) {
      const life = live(id, now)
      if (life === undefined) return undefined
      const known = life.events.find(({ key }) => key === event.key)
      if (known !== undefined) return known.sequence
      if (given === undefined || !Number.isSafeInteger(given) || given <= life.last) return life.last + 1
      life.last = given
      life.events.push({ key: event.key, stream: event.stream, data: event.data, sequence: given, createdAt: now })
      trim(life, retention, now)
      return given
    },
    read(id, { after, streams = [], maxAgeMs }, now) {
      const life = live(id, now)
      if (life === undefined) return undefined
      const asked = (stream: string): boolean => streams.length === 0 || streams.includes(stream)
      const later = life.events.filter(({ sequence, stream }) => sequence > after && asked(stream))
      const events = later.filter(({ createdAt }) => createdAt >= now - maxAgeMs)
      const gone = life.gone.some(({ sequence, stream }) => sequence > after && asked(stream))
      return { events, last: life.last, trimmed: gone || events.length < later.length || after > life.last }
    },
  }
}

function trim(life: Life, { maxEvents, maxAgeMs, maxBytes, maxInternalAgeMs = Number.POSITIVE_INFINITY }: Retention, now: number): void {
  const bytes = (events: readonly StoredEvent[]): number => events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0)
  trimWhile(life, false, (oldest, events) => events.length > maxEvents || bytes(events) > maxBytes || oldest.createdAt < now - maxAgeMs)
  trimWhile(life, true, (oldest) => oldest.createdAt < now - maxInternalAgeMs)
}

function trimWhile(life: Life, internal: boolean, isBeyond: (oldest: StoredEvent, events: readonly StoredEvent[]) => boolean): void {
  for (;;) {
    const events = life.events.filter(({ stream }) => stream.startsWith('!') === internal)
    const [oldest] = events
    if (oldest === undefined || oldest.sequence === life.last || !isBeyond(oldest, events)) return
    life.events = life.events.filter((event) => event !== oldest)
    life.gone.push({ stream: oldest.stream, sequence: oldest.sequence })
  }
}
