import { randomBytes } from 'node:crypto'
import { SessionError } from '@mcp-session/core'
import type { NewEvent, Retention, SessionBackend } from '@mcp-session/core/backend'
import { harmless, warn } from './options.ts'
import { type LogPage, type OwnLog, openOwnLog, type StoreOptions } from './own-log.ts'
import { eventListeners, type ServerEvent } from './server-events.ts'
import { type WakeUps, wakeUps } from './wake-ups.ts'

/** SDK v2's `ServerEventBus`, for all nodes on a backend. All members are safe to detach. */
export interface EventBus extends AsyncDisposable {
  /** Tells the listeners of this node at once, and those of the others when it is stored. `RangeError`: larger than 64 KiB as JSON. */
  publish(event: ServerEvent): void
  /** Hears this node's events and those that the others publish from about now on; the function stops it. */
  subscribe(listener: (event: ServerEvent) => void): () => void
  /** Stores what was published, then closes the store. Idempotent. */
  close(): Promise<void>
}

export interface EventBusOptions extends StoreOptions {
  /** Buses of one backend with different names do not hear each other: 1–100 characters of visible ASCII. Default `mcp`. */
  readonly name?: string | undefined
  /** How often a node looks for events of the others, signals or not, in milliseconds. Default 1,500. */
  readonly pollIntervalMs?: number | undefined
  /** How much a node may fall behind before it has to tell its listeners that everything has changed. Default: 5 min, 10,000, 4 MiB. */
  readonly events?: Partial<Retention> | undefined
}

const minute = 60_000
const stream = 'events'
/** Events that wait to be stored: each distinct one counts once, since the second of two equal ones says nothing new. */
const maxWaiting = 10_000
const maxEventBytes = 64 * 1024
/** Of the events that are stored together, in UTF-16 units. */
const maxBatchLength = 256 * 1024
/** In the place of an event: some were not stored. */
const gap = 'null'

/**
 * Opens the change events of a server, so that `subscriptions/listen` streams of one node hear what another one publishes. They are
 * kept in an event log under an internal record; a signal wakes the nodes, who otherwise poll.
 */
export async function createEventBus(backend: SessionBackend, options: EventBusOptions = {}): Promise<EventBus> {
  const { name = 'mcp', pollIntervalMs = 1_500, events, ...store } = options
  const woken = wakeUps(checkInterval(pollIntervalMs))
  const log = await openOwnLog({
    backend,
    user: 'createEventBus',
    kind: '!bus',
    name: checkName(name),
    ttlMs: 24 * 60 * minute,
    events: { maxAgeMs: 5 * minute, maxEvents: 10_000, maxBytes: 4 * 1024 * 1024, ...events },
    store,
  })
  try {
    return await joinBus({ log, name, woken, onError: harmless(options.onError ?? warn) })
  } catch (error) {
    await log.close()
    throw error
  }
}

interface BusParts {
  readonly log: OwnLog
  readonly name: string
  readonly woken: WakeUps
  readonly onError: (error: unknown) => void
}

async function joinBus({ log, name, woken, onError }: BusParts): Promise<EventBus> {
  const node = randomBytes(12).toString('base64url')
  const channel = `mcp-session/bus/${name}`
  const listeners = eventListeners(onError)
  const waiting = new Set<string>()
  const storeOutage = outage(onError)
  const readOutage = outage(onError)
  /** What is being stored: it is sent again as it is, until it is known to be stored. */
  let batch: NewEvent | undefined
  let batches = 0
  let storing: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const unsubscribe = await log.signals?.subscribe(channel, (from) => {
    if (from !== node) woken.wake(name)
  })
  /** Where this node has read up to. */
  let place = await log.append({ key: `${node}.open`, stream, data: '[]' })
  const watch = woken.watch(name)
  const polling = poll()

  async function poll(): Promise<void> {
    while (await watch.next()) {
      await storeWaiting()
      await look()
    }
  }

  async function storeWaiting(): Promise<void> {
    if (batch === undefined && waiting.size === 0) return
    storing ??= storeAll()
    await storing
  }

  async function storeAll(): Promise<void> {
    try {
      while (batch !== undefined || waiting.size > 0) {
        batch ??= nextBatch()
        await log.append(batch)
        batch = undefined
        // A hint: whoever misses it looks at the next poll.
        log.signals?.publish(channel, node).catch(() => {})
      }
      storeOutage.end()
    } catch (error) {
      storeOutage.report(error)
    } finally {
      storing = undefined
    }
  }

  function nextBatch(): NewEvent {
    const texts: string[] = []
    let length = 0
    for (const text of waiting) {
      if (texts.length > 0 && length + text.length > maxBatchLength) break
      waiting.delete(text)
      texts.push(text)
      length += text.length
    }
    batches += 1
    return { key: `${node}.${batches}`, stream, data: `[${texts.join(',')}]` }
  }

  /** Reads what the other nodes have stored. In an outage the next poll comes to it. */
  async function look(): Promise<void> {
    try {
      for (let isMore = true; isMore; ) {
        const page = await log.read({ streams: [stream], after: place.sequence, limit: 100 })
        isMore = page !== undefined && deliver(page)
      }
      readOutage.end()
    } catch (error) {
      readOutage.report(error)
    }
  }

  /** Whether there may be more to read. */
  function deliver(page: LogPage): boolean {
    if (page.log !== place.log) {
      place = { log: page.log, sequence: 0 }
      tellOfGap()
      return true
    }
    if (page.trimmed) tellOfGap()
    for (const { key, data } of page.events) {
      if (key.startsWith(`${node}.`)) continue
      for (const event of eventsOf(data)) event === null ? tellOfGap() : listeners.tell(event)
    }
    place = { ...place, sequence: Math.max(place.sequence, page.events.at(-1)?.sequence ?? page.last) }
    return page.events.length > 0
  }

  /** Which resources were updated is not known any more: of those nothing can be told. */
  function tellOfGap(): void {
    onError(new Error('The event bus has lost events of other nodes: listeners hear that all lists have changed, not which resources'))
    for (const kind of ['tools_list_changed', 'prompts_list_changed', 'resources_list_changed'] as const) listeners.tell({ kind })
  }

  async function close(): Promise<void> {
    watch.close()
    await polling
    await storeWaiting()
    const left = waiting.size + (batch === undefined ? 0 : 1)
    if (left > 0) onError(new Error('The event bus is closed in an outage: other nodes will not hear of the last changes'))
    await unsubscribe?.().catch(onError)
    await log.close()
  }

  function closeOnce(): Promise<void> {
    closing ??= close()
    return closing
  }

  return {
    publish(event) {
      const text = JSON.stringify(event)
      if (Buffer.byteLength(text) > maxEventBytes) throw new RangeError(`An event must have at most ${maxEventBytes} bytes as JSON`)
      listeners.tell(event)
      if (closing !== undefined) {
        onError(new SessionError('MCP_SESSION_CLOSED', 'The event bus is closed: other nodes do not hear of a change'))
        return
      }
      if (waiting.size >= maxWaiting) {
        waiting.clear()
        waiting.add(gap)
      }
      waiting.add(text)
      void storeWaiting()
    },
    subscribe: listeners.add,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  }
}

/** Reports the first failure of an outage, and not one per poll. */
function outage(onError: (error: unknown) => void): { report(error: unknown): void; end(): void } {
  let isOn = false
  return {
    report(error) {
      if (!isOn) onError(error)
      isOn = true
    },
    end() {
      isOn = false
    },
  }
}

/** What another version stored in another form is a gap. */
function eventsOf(data: string): readonly (ServerEvent | null)[] {
  try {
    const events: unknown = JSON.parse(data)
    return Array.isArray(events) ? events : [null]
  } catch {
    return [null]
  }
}

function checkName(name: unknown): string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${typeof name}`)
  if (/^[\x21-\x7e]{1,100}$/.test(name)) return name
  throw new RangeError('name must have 1 to 100 characters of visible ASCII (0x21–0x7E)')
}

function checkInterval(pollIntervalMs: unknown): number {
  if (typeof pollIntervalMs !== 'number') throw new TypeError(`pollIntervalMs must be a number, not ${typeof pollIntervalMs}`)
  if (Number.isSafeInteger(pollIntervalMs) && pollIntervalMs >= 4 && pollIntervalMs < 2 ** 31) return pollIntervalMs
  throw new RangeError(`pollIntervalMs must be a whole number from 4 to ${2 ** 31 - 1}, not ${pollIntervalMs}`)
}
