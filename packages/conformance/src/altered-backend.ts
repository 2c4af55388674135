import type { EventLog, SessionBackend, SignalBus } from '@mcp-session/core/backend'

/** What to answer otherwise than the backend below does. */
export type Alterations = Partial<Omit<SessionBackend, 'events' | 'signals'>> & {
  readonly events?: Partial<EventLog> | undefined
  readonly signals?: Partial<SignalBus> | undefined
}

/** A backend that is another one in all but what is given: for injected faults and planted bugs. */
export function alteredBackend(backend: SessionBackend, alterations: Alterations): SessionBackend {
  const { events, signals, info: _, ...methods } = alterations
  const evicted = alterations.evicted ?? backend.evicted?.bind(backend)
  return {
    get info() {
      return alterations.info ?? backend.info
    },
    open: () => backend.open(),
    create: (record, call) => backend.create(record, call),
    get: (id, call, known) => backend.get(id, call, known),
    replace: (record, expectedRev, call) => backend.replace(record, expectedRev, call),
    touch: (touch, call) => backend.touch(touch, call),
    delete: (id, expectedRev, call) => backend.delete(id, expectedRev, call),
    list: (query, call) => backend.list(query, call),
    deleteExpired: (limit, call) => backend.deleteExpired(limit, call),
    health: (call) => backend.health(call),
    close: () => backend.close(),
    classify: (error) => backend.classify(error),
    ...(evicted === undefined ? {} : { evicted }),
    ...methods,
    ...(backend.events === undefined ? {} : { events: alteredEvents(backend.events, events) }),
    ...(backend.signals === undefined ? {} : { signals: alteredSignals(backend.signals, signals) }),
  }
}

function alteredEvents(log: EventLog, methods: Partial<EventLog> = {}): EventLog {
  return {
    append: (id, event, retention, call) => log.append(id, event, retention, call),
    read: (id, query, call) => log.read(id, query, call),
    restore: (id, page, call) => log.restore(id, page, call),
    ...methods,
  }
}

function alteredSignals(bus: SignalBus, methods: Partial<SignalBus> = {}): SignalBus {
  return {
    publish: (channel, message, call) => bus.publish(channel, message, call),
    subscribe: (channel, listener) => bus.subscribe(channel, listener),
    ...methods,
  }
}
