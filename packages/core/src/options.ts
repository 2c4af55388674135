import { checkDurationMs, checkFunction, checkWholeNumber } from './arguments.ts'
import type { SessionBackend } from './backend.ts'
import type { Codec } from './codec.ts'
import { checkKind } from './ids.ts'
import type { StandardSchema } from './schema.ts'
import type { SessionsOptions } from './sessions.ts'
import { textCodec } from './text-codec.ts'

/** The options of a store, checked and complete. */
export interface CheckedOptions<M> {
  readonly backend: SessionBackend
  readonly kind: string
  readonly ttlMs: number
  readonly maxLifetimeMs: number
  readonly touchIntervalMs: number | undefined
  readonly cleanupIntervalMs: number
  readonly callTimeoutMs: number
  readonly maxInFlight: number
  readonly maxBytes: number
  readonly cacheBytes: number
  readonly schema: StandardSchema<M> | undefined
  readonly codec: Codec
  readonly now: () => number
  /** Never throws. */
  readonly onError: (error: unknown) => void
}

const mebibyte = 1_048_576

/** `TypeError` or `RangeError` that names the option and the value, before anything else happens. */
export function checkOptions<M>(options: SessionsOptions<M>): CheckedOptions<M> {
  if (typeof options !== 'object' || options === null) throw new TypeError('openSessions needs options with a backend')
  const checked: CheckedOptions<M> = {
    backend: checkBackend(options.backend),
    kind: checkKind(options.kind ?? 's'),
    ttlMs: checkDurationMs(options.ttlMs ?? Number.POSITIVE_INFINITY, 'ttlMs'),
    maxLifetimeMs: checkDurationMs(options.maxLifetimeMs ?? Number.POSITIVE_INFINITY, 'maxLifetimeMs'),
    touchIntervalMs: options.touchIntervalMs === undefined ? undefined : checkDurationMs(options.touchIntervalMs, 'touchIntervalMs'),
    cleanupIntervalMs: checkWholeNumber(options.cleanupIntervalMs ?? 60_000, 'cleanupIntervalMs', 0),
    callTimeoutMs: checkWholeNumber(options.callTimeoutMs ?? 5_000, 'callTimeoutMs', 1, 2 ** 31 - 1),
    maxInFlight: checkWholeNumber(options.maxInFlight ?? 1_024, 'maxInFlight', 1, 1_000_000),
    maxBytes: checkWholeNumber(options.maxBytes ?? mebibyte, 'maxBytes', 64, 2 * mebibyte - 1_024),
    cacheBytes: checkWholeNumber(options.cacheBytes ?? 16 * mebibyte, 'cacheBytes', 0),
    schema: checkSchema(options.schema),
    codec: checkCodec(options.codec ?? textCodec),
    now: checkFunction(options.now ?? Date.now, 'now'),
    onError: reporter(checkFunction(options.onError ?? warn, 'onError')),
  }
  // A lifetime that is misspelt must not be no lifetime.
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(checked, name))
  if (unknown.length > 0) throw new TypeError(`openSessions has no option ${unknown.join(', ')}`)
  return checked
}

const backendMethods = [
  'open',
  'create',
  'get',
  'replace',
  'touch',
  'delete',
  'list',
  'deleteExpired',
  'health',
  'close',
  'classify',
] as const

function checkBackend(backend: SessionBackend): SessionBackend {
  const missing = backendMethods.filter((method) => typeof backend?.[method] !== 'function')
  if (missing.length === 0) return backend
  throw new TypeError(`backend must be a SessionBackend; it has no ${missing.join(', ')}`)
}

function checkSchema<M>(schema: StandardSchema<M> | undefined): StandardSchema<M> | undefined {
  if (schema === undefined || typeof schema['~standard']?.validate === 'function') return schema
  throw new TypeError('schema must be a Standard Schema (https://standardschema.dev): it has no ~standard.validate')
}

function checkCodec(codec: Codec): Codec {
  if (typeof codec?.encode === 'function' && typeof codec.decode === 'function') return codec
  throw new TypeError('codec must have the functions encode and decode')
}

function reporter(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error)
    } catch (thrown) {
      warn(thrown)
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
