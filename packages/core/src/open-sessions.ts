import { access } from './access.ts'
import type { SessionBackend } from './backend.ts'
import { calls, typedError } from './calls.ts'
import { changes } from './changes.ts'
import { cleanupExpired } from './cleanup.ts'
import { clock } from './clock.ts'
import { creation } from './creation.ts'
import { engineClock } from './engine-clock.ts'
import { SessionError } from './errors.ts'
import { eventStore } from './event-store.ts'
import { idMint, revMint } from './ids.ts'
import { listing } from './listing.ts'
import { meter } from './meter.ts'
import { type CheckedOptions, checkOptions } from './options.ts'
import { removal } from './removal.ts'
import { rotation } from './rotation.ts'
import { running } from './running.ts'
import type { Metadata, Sessions, SessionsOptions } from './sessions.ts'
import { signalHub } from './signal-hub.ts'
import { snapshots } from './snapshots.ts'
import type { StoreParts } from './store-parts.ts'
import { sweeper } from './sweeper.ts'
import { touches } from './touches.ts'
import { turns } from './turns.ts'
import { updates } from './updates.ts'

/**
 * Opens a store of sessions on a backend. `TypeError` and `RangeError` name a bad option before anything is opened;
 * `MCP_SESSION_CONTRACT` refuses a backend of another contract; what the backend's `open` throws is a `SessionError`.
 */
export async function openSessions<M extends object = Metadata>(options: SessionsOptions<M>): Promise<Sessions<M>> {
  const checked = checkOptions(options)
  await openBackend(checked)
  try {
    return await openStore(checked)
  } catch (error) {
    await checked.backend.close()
    throw error
  }
}

async function openBackend({ backend }: Pick<CheckedOptions<unknown>, 'backend'>): Promise<void> {
  try {
    await backend.open()
  } catch (error) {
    throw typedError(backend, error, 'the backend did not open', 'read')
  }
  const { name, contract } = backend.info
  if ((contract as number) === 1) return
  await backend.close()
  throw new SessionError(
    'MCP_SESSION_CONTRACT',
    `The backend ${name} implements contract ${contract}; this core knows 1: upgrade the older one`,
  )
}

async function closeBackend(backend: SessionBackend): Promise<void> {
  try {
    await backend.close()
  } catch (error) {
    throw typedError(backend, error, 'the backend did not close', 'read')
  }
}

async function openStore<M extends object>(options: CheckedOptions<M>): Promise<Sessions<M>> {
  const { backend, onError } = options
  const background = running()
  const active = running()
  const parts = storeParts(options, (work) => {
    background.enter()
    void work.catch(onError).finally(background.leave)
  })
  const engine = engineClock(parts)
  const reading = access(parts)
  const creating = creation(parts)
  const updating = updates(parts, reading)
  const removing = removal(parts, reading)
  const rotating = rotation(parts, reading, creating)
  const paging = listing(parts, method)
  const events = backend.events && eventStore(parts, backend.events, method)
  const signals = backend.signals && signalHub(parts, backend.signals, method)
  await engine.synchronize()
  const sweeping = sweeper({
    intervalMs: options.cleanupIntervalMs,
    sweep: () => cleanupExpired(parts, {}),
    report: (error) => (closing === undefined ? onError(error) : undefined),
  })
  let closing: Promise<void> | undefined

  /** Every method of the session API goes through here: measured, and waited for by `close`. */
  function method<T>(operation: string, run: () => Promise<T>): Promise<T> {
    engine.refresh()
    // Whoever comes later is refused, and must not hold up the end.
    if (closing !== undefined) return parts.meter.measure(operation, run)
    active.enter()
    return parts.meter.measure(operation, run, active.leave)
  }

  async function end(): Promise<void> {
    const ended = parts.calls.end()
    await sweeping.stop()
    await active.idle()
    await Promise.all([background.idle(), parts.touches.drain()])
    await ended
    await signals?.end()
    await closeBackend(backend)
  }

  function close(): Promise<void> {
    closing ??= end()
    return closing
  }

  return {
    create: (metadata, given = {}) => method('create', () => creating.create(metadata === undefined ? {} : metadata, given)),
    retrieve: (id, given = {}) => method('retrieve', () => reading.retrieve(id, given)),
    update: (id, fn, given = {}) => method('update', updating.update(id, fn, given)),
    updateContext: (id, fn, given = {}) => method('updateContext', updating.updateContext(id, fn, given)),
    delete: (id, given = {}) => method('delete', () => removing.remove(id, given)),
    consume: (id, given = {}) => method('consume', () => removing.consume(id, given)),
    setTtl: (id, ttlMs, given = {}) => method('setTtl', () => updating.setTtl(id, ttlMs, given)),
    touch: (id, given = {}) => method('touch', () => reading.touch(id, given)),
    rotate: (id, given = {}) => method('rotate', () => rotating.rotate(id, given)),
    list: (given = {}) => method('list', () => paging.list(given)),
    iterate: (given = {}) => paging.iterate(given),
    count: (given = {}) => method('count', () => paging.count(given)),
    cleanupExpired: (given = {}) => method('cleanupExpired', () => cleanupExpired(parts, given)),
    deleteByOwner: (owner, given = {}) => method('deleteByOwner', () => removing.deleteByOwner(owner, given)),
    restore: (session, given = {}) => method('restore', () => creating.restore(session, given)),
    events,
    signals,
    getBackend: () => backend,
    metrics: () => parts.meter.metrics(),
    health: (given = {}) => method('health', () => engine.health(given)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function storeParts<M extends object>(options: CheckedOptions<M>, inBackground: StoreParts<M>['inBackground']): StoreParts<M> {
  const { backend, kind, onError } = options
  const evictedBefore = backend.evicted?.() ?? 0
  const storeClock = clock(options.now, onError)
  const storeMeter = meter({ backend: backend.info.name, kind }, () => (backend.evicted?.() ?? 0) - evictedBefore)
  const storeCalls = calls({ ...options, clock: storeClock, meter: storeMeter })
  return {
    options,
    backend,
    clock: storeClock,
    meter: storeMeter,
    calls: storeCalls,
    snapshots: snapshots({ ...options, backendName: backend.info.name }),
    touches: touches({ ...options, calls: storeCalls, meter: storeMeter, report: onError }),
    changes: changes({ backend, calls: storeCalls, meter: storeMeter }),
    turns: turns(storeCalls),
    mintId: idMint(kind),
    mintRev: revMint(),
    inBackground,
  }
}
