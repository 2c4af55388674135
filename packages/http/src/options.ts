import type { Metadata, SessionsOptions } from '@mcp-session/core'
import type { Retention } from '@mcp-session/core/backend'
import type { CreateRate } from './create-rate.ts'
import { type Hook, hookNames, type SessionHooks } from './hooks.ts'
import type { HostRules } from './hosts.ts'
import type { ServerFactory } from './live-server.ts'
import type { Principal } from './principal.ts'
import { maxTimerMs } from './wake-ups.ts'

/** The options of the session store apply as well, but for `kind`. */
export interface SessionHandlerOptions<M = Metadata> extends Omit<SessionsOptions<M>, 'kind'> {
  /** Makes the server of one session: once per live session and node. */
  readonly server: ServerFactory<M>
  /** Who may use a session: `'anonymous'`, or a function that names the caller. */
  readonly principal: Principal
  /** Idle window of a session in milliseconds. Default 24 h. */
  readonly ttlMs?: number | undefined
  /** Absolute lifetime of a session in milliseconds. Default 30 days. */
  readonly maxLifetimeMs?: number | undefined
  /** `Host` headers served: `host` (any port), `host:port`, or `'any'`. Default: loopback only. */
  readonly allowedHosts?: readonly string[] | 'any' | undefined
  /** Origins of foreign pages that may ask and read. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined
  /** How long a plain answer is waited for before the response becomes an SSE stream. Default 40; 0: always a stream. */
  readonly jsonWaitMs?: number | undefined
  /** How long clients are told to wait before they reconnect a stream. Default 3,000. */
  readonly retryMs?: number | undefined
  /** A comment keeps a silent stream open that often. Default 15,000. */
  readonly keepAliveMs?: number | undefined
  /** Open streams and live servers look for news of other nodes that often, signals or not. Default 1,500. */
  readonly pollIntervalMs?: number | undefined
  /** Servers in memory at most. Default 1,000. */
  readonly liveSessions?: number | undefined
  /** A server that was not used for so long is closed. Default 300,000. */
  readonly liveIdleMs?: number | undefined
  /** Of the body of a POST. Default 4 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** What a session's event log keeps. Default: 1 h, 1,000 events, 1 MiB. */
  readonly events?: Partial<Retention> | undefined
  /** A node that runs streamed calls and was not heard of for so long is dead: its calls get an error. Default 3,000. */
  readonly orphanAfterMs?: number | undefined
  /** Sessions of one principal: beyond it its longest-idle one without an open stream ends. Not for `'anonymous'`. Default 1,000. */
  readonly maxSessionsPerPrincipal?: number | undefined
  /** New sessions of one principal (of all anonymous clients together) on this node; beyond it 429. Default: no bound. */
  readonly createRate?: CreateRate | undefined
  /** Told what happens to sessions. */
  readonly hooks?: SessionHooks | undefined
  /** `close` lets running calls finish for so long. Default 10,000. */
  readonly drainMs?: number | undefined
}

/** All options, checked and with their defaults. */
export interface CheckedOptions<M> {
  readonly store: SessionsOptions<M>
  readonly server: ServerFactory<M>
  readonly principal: Principal
  readonly hosts: HostRules
  readonly ttlMs: number
  readonly jsonWaitMs: number
  readonly retryMs: number
  readonly keepAliveMs: number
  readonly pollIntervalMs: number
  readonly liveSessions: number
  readonly liveIdleMs: number
  readonly maxBodyBytes: number
  readonly retention: Retention
  readonly orphanAfterMs: number
  readonly maxSessionsPerPrincipal: number
  readonly createRate: CreateRate | undefined
  readonly hooks: SessionHooks
  readonly drainMs: number
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const hour = 60 * 60_000

/** `TypeError` and `RangeError` name the option and the value. What belongs to the store is checked by `openSessions`. */
export function checkOptions<M>(options: SessionHandlerOptions<M>): CheckedOptions<M> {
  if (typeof options !== 'object' || options === null) throw new TypeError('createSessionHandler needs an object of options')
  const { server, principal, allowedHosts, allowedOrigins, jsonWaitMs, retryMs, keepAliveMs, pollIntervalMs, ...others } = options
  const { liveSessions, liveIdleMs, maxBodyBytes, events, orphanAfterMs, maxSessionsPerPrincipal, createRate, hooks, drainMs, ...store } =
    others
  if ('kind' in store) throw new TypeError('createSessionHandler has no option kind: its sessions are of the kind s')
  if (typeof server !== 'function') throw new TypeError('server must be a function that returns a McpServer or Server')
  if (principal !== 'anonymous' && typeof principal !== 'function') {
    throw new TypeError(`principal must be 'anonymous' or a function, not ${print(principal)}: say who may use a session`)
  }
  const ttlMs = store.ttlMs ?? 24 * hour
  const onError = harmless(store.onError ?? warn)
  return {
    store: { ...store, ttlMs, maxLifetimeMs: store.maxLifetimeMs ?? 30 * 24 * hour, onError, kind: 's' },
    server,
    principal,
    hosts: { allowedHosts: hostList(allowedHosts), allowedOrigins: originList(allowedOrigins) },
    ttlMs,
    jsonWaitMs: whole('jsonWaitMs', jsonWaitMs ?? 40, 0, maxTimerMs),
    retryMs: whole('retryMs', retryMs ?? 3_000, 0, maxTimerMs),
    keepAliveMs: whole('keepAliveMs', keepAliveMs ?? 15_000, 1, maxTimerMs),
    pollIntervalMs: whole('pollIntervalMs', pollIntervalMs ?? 1_500, 4, maxTimerMs),
    liveSessions: whole('liveSessions', liveSessions ?? 1_000, 1, Number.MAX_SAFE_INTEGER),
    liveIdleMs: whole('liveIdleMs', liveIdleMs ?? 300_000, 1, maxTimerMs),
    maxBodyBytes: whole('maxBodyBytes', maxBodyBytes ?? 4 * 1024 * 1024, 1, Number.MAX_SAFE_INTEGER),
    retention: retention(events),
    orphanAfterMs: whole('orphanAfterMs', orphanAfterMs ?? 3_000, 100, maxTimerMs),
    maxSessionsPerPrincipal: wholeOrInfinite('maxSessionsPerPrincipal', maxSessionsPerPrincipal ?? 1_000),
    createRate: rate(createRate),
    hooks: hooksOf(hooks),
    drainMs: whole('drainMs', drainMs ?? 10_000, 0, maxTimerMs),
    now: store.now ?? Date.now,
    onError,
  }
}

function retention(events: Partial<Retention> = {}): Retention {
  const { maxEvents = 1_000, maxAgeMs = hour, maxBytes = 1024 * 1024 } = events
  return {
    maxEvents: wholeOrInfinite('events.maxEvents', maxEvents),
    maxAgeMs: wholeOrInfinite('events.maxAgeMs', maxAgeMs),
    maxBytes: wholeOrInfinite('events.maxBytes', maxBytes),
    // Frames of running calls: older than what they are about, and never younger.
    maxInternalAgeMs: Math.max(24 * hour, maxAgeMs),
  }
}

function rate(given: CreateRate | undefined): CreateRate | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null) throw new TypeError(`createRate must be { sessions, perMs }, not ${print(given)}`)
  return {
    sessions: whole('createRate.sessions', given.sessions, 1, Number.MAX_SAFE_INTEGER),
    perMs: whole('createRate.perMs', given.perMs, 1, Number.MAX_SAFE_INTEGER),
  }
}

function hooksOf(hooks: SessionHooks = {}): SessionHooks {
  if (typeof hooks !== 'object' || hooks === null) throw new TypeError(`hooks must be an object of functions, not ${print(hooks)}`)
  for (const [name, hook] of Object.entries(hooks)) {
    if (!hookNames.includes(name as Hook)) throw new TypeError(`hooks has no ${name}; there are ${hookNames.join(', ')}`)
    if (hook !== undefined && typeof hook !== 'function') throw new TypeError(`hooks.${name} must be a function, not ${print(hook)}`)
  }
  return hooks
}

function hostList(hosts: SessionHandlerOptions['allowedHosts']): HostRules['allowedHosts'] {
  if (hosts === undefined || hosts === 'any') return hosts
  if (Array.isArray(hosts) && hosts.every((host) => typeof host === 'string' && /^[^\s/]+$/.test(host))) return hosts
  throw new TypeError(`allowedHosts must be 'any' or a list of hosts without scheme and path, not ${print(hosts)}`)
}

function originList(origins: readonly string[] = []): readonly string[] {
  if (!Array.isArray(origins)) throw new TypeError(`allowedOrigins must be a list, not ${print(origins)}`)
  for (const origin of origins) {
    if (typeof origin !== 'string' || !isOrigin(origin)) {
      throw new TypeError(`allowedOrigins must hold origins such as 'https://app.example', not ${print(origin)}`)
    }
  }
  return origins
}

function isOrigin(text: string): boolean {
  try {
    const { origin, host, protocol } = new URL(text)
    // URL knows no origin of extensions and desktop apps, such as chrome-extension://<id> and tauri://localhost.
    return origin === 'null' ? host !== '' && text === `${protocol}//${host}` : origin === text
  } catch {
    return false
  }
}

function whole(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${print(value)}`)
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`)
  }
  return value
}

function wholeOrInfinite(name: string, value: unknown): number {
  return value === Number.POSITIVE_INFINITY ? value : whole(name, value, 1, Number.MAX_SAFE_INTEGER)
}

function print(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : Array.isArray(value) ? `[${value.map(print).join(', ')}]` : String(value)
}

/** What throws while it is told of a failure must not end the process. */
export function harmless(onError: (error: unknown) => void): (error: unknown) => void {
  if (typeof onError !== 'function') throw new TypeError(`onError must be a function, not ${print(onError)}`)
  return (error) => {
    try {
      onError(error)
    } catch (thrown) {
      warn(thrown)
    }
  }
}

export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
