import { openSessions, SessionError, type SessionSignals, type SessionsOptions } from '@mcp-session/core'
import type { EventPage, EventQuery, NewEvent, Retention, SessionBackend } from '@mcp-session/core/backend'

/** What the stores of this package that are opened on a backend directly take from the options of `openSessions`. */
export type StoreOptions = Pick<SessionsOptions, 'callTimeoutMs' | 'maxInFlight' | 'cleanupIntervalMs' | 'now' | 'onError'>

/** An event log that belongs to no session: under an internal record of its own, which is made where it is missing. */
export interface OwnLog {
  readonly signals: SessionSignals | undefined
  /** Counts as access; makes the log where there is none. */
  append(event: NewEvent): Promise<Place>
  /** Counts as access. `undefined`: there is no log. */
  read(query: Omit<EventQuery, 'maxAgeMs'>): Promise<LogPage | undefined>
  /** Deletes it with its events; whether it was there. */
  delete(): Promise<boolean>
  /** Closes the store, and with it the backend where nobody else has it open. */
  close(): Promise<void>
}

export interface Place {
  /** Which log it is: one that was deleted or has expired begins again, with its sequences, under another name. */
  readonly log: string
  readonly sequence: number
}

export type LogPage = EventPage & { readonly log: string }

export interface OwnLogOptions {
  readonly backend: SessionBackend
  /** For messages: who needs an event log. */
  readonly user: string
  /** An internal one, see the contract. */
  readonly kind: `!${string}`
  readonly name: string
  /** Without access for so long it is gone. */
  readonly ttlMs: number
  readonly events: Partial<Retention> | undefined
  readonly store: StoreOptions
}

const defaults: Retention = { maxEvents: 1_000, maxAgeMs: 60 * 60_000, maxBytes: 1024 * 1024 }
/** A log may end between two steps; one that always does has a lifetime that is too short to be used. */
const maxAttempts = 3

/** `TypeError`: the backend has no event log. What its `open` throws is a `SessionError`. */
export async function openOwnLog({ backend, user, kind, name, ttlMs, events: given, store }: OwnLogOptions): Promise<OwnLog> {
  const retention = retentionOf(given)
  const sessions = await openSessions({ ...store, backend, kind, ttlMs, cacheBytes: 0 })
  const { events, signals } = sessions
  const id = `${kind}_${name}`
  if (events === undefined) {
    await sessions.close()
    throw new TypeError(`The backend ${backend.info.name} has no event log, which ${user} needs`)
  }

  async function made(): Promise<string> {
    const found = await sessions.retrieve(id)
    if (found !== undefined) return found.rev
    try {
      return (await sessions.create(undefined, { id })).rev
    } catch (error) {
      const isLost = SessionError.is(error, 'MCP_SESSION_CONFLICT')
      const other = isLost ? await sessions.retrieve(id) : undefined
      if (other === undefined) throw error
      return other.rev
    }
  }

  return {
    signals,
    async append(event) {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const log = await made()
        const sequence = await events.append(id, event, retention)
        if (sequence !== undefined) return { log, sequence }
      }
      throw new SessionError('MCP_SESSION_CONFLICT', `The log of ${user} ends as soon as it is made: is ttlMs too short?`, {
        retryable: true,
      })
    },
    async read(query) {
      const found = await sessions.retrieve(id)
      const page = found && (await events.read(id, { ...query, maxAgeMs: retention.maxAgeMs }))
      return page && { ...page, log: found.rev }
    },
    delete: () => sessions.delete(id),
    close: () => sessions.close(),
  }
}

/** With defaults. Checked here, since the store checks it at the first append only. */
function retentionOf(given: Partial<Retention> = {}): Retention {
  const retention = { ...defaults, ...given }
  for (const [name, value] of Object.entries(retention)) {
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`events has no bound ${name}`)
    if (typeof value !== 'number') throw new TypeError(`events.${name} must be a number, not ${typeof value}`)
    if (value !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(value) || value < 1)) {
      throw new RangeError(`events.${name} must be a whole number from 1 on, or Infinity, not ${value}`)
    }
  }
  return retention
}
