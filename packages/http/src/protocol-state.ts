import { createHash } from 'node:crypto'
import { isPlainObject } from './json-rpc.ts'

/** What the protocol knows of a session. It is stored beside the application's metadata, outside its schema. */
export interface ProtocolState {
  /** The client's `initialize` parameters: what a fresh server must hear to serve the session. */
  readonly initialize: Readonly<Record<string, unknown>>
  /** The protocol revision that both sides agreed on. */
  readonly version: string
  /** Set by `logging/setLevel`. */
  readonly logLevel: string | undefined
  /** What the client was told of the server; see {@link ServerTold}. Absent in records of older versions. */
  readonly told: ServerTold | undefined
  /** Resource URIs, set by `resources/subscribe` and `resources/unsubscribe`. */
  readonly subscriptions: readonly string[]
}

/** What a server answered `initialize` with: enough to see that a later one answers otherwise. */
export interface ServerTold {
  /** Of the newest answer. */
  readonly digest: string
  /** `tools`, `prompts`, `resources`: lists whose changes the first answer promised to announce. */
  readonly promised: readonly string[]
}

/** The revision whose clients understand a first event with an id and no data. */
const primingSince = '2025-11-25'
/** The only revision with JSON-RPC batches. */
const batchVersion = '2025-03-26'
/** What the SDKs accept in `MCP-Protocol-Version`, whatever was negotiated. */
const knownVersions: readonly string[] = ['2025-11-25', '2025-06-18', batchVersion, '2024-11-05', '2024-10-07']

export function newProtocolState(
  initialize: Record<string, unknown>,
  version: string,
  answer: Readonly<Record<string, unknown>>,
): ProtocolState {
  return { initialize, version, told: { digest: digestOf(answer), promised: promisedBy(answer) }, logLevel: undefined, subscriptions: [] }
}

/** Of the result of `initialize`, whatever the order of its members. */
export function digestOf(answer: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(answer)))
    .digest('base64url')
    .slice(0, 22)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isPlainObject(value)) return value
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)])
}

function promisedBy({ capabilities }: Readonly<Record<string, unknown>>): string[] {
  return ['tools', 'prompts', 'resources'].filter((list) => {
    const capability = isPlainObject(capabilities) ? capabilities[list] : undefined
    return isPlainObject(capability) && capability['listChanged'] === true
  })
}

/** For the store: `undefined` members left out, so that the text stays plain JSON. */
export function storedState(state: ProtocolState): Record<string, unknown> {
  const { initialize, version, told, logLevel, subscriptions } = state
  return {
    initialize,
    version,
    subscriptions,
    ...(told === undefined ? {} : { told }),
    ...(logLevel === undefined ? {} : { logLevel }),
  }
}

/** `undefined`: a record that no finished `initialize` made. */
export function readProtocolState(context: unknown): ProtocolState | undefined {
  if (!isPlainObject(context)) return undefined
  const { initialize, version, told, logLevel, subscriptions } = context
  if (!isPlainObject(initialize) || typeof version !== 'string' || version === '' || !Array.isArray(subscriptions)) return undefined
  return {
    initialize,
    version,
    told: readTold(told),
    logLevel: typeof logLevel === 'string' ? logLevel : undefined,
    subscriptions: subscriptions.filter((uri) => typeof uri === 'string'),
  }
}

function readTold(told: unknown): ServerTold | undefined {
  if (!isPlainObject(told) || typeof told['digest'] !== 'string' || !Array.isArray(told['promised'])) return undefined
  return { digest: told['digest'], promised: told['promised'].filter((list) => typeof list === 'string') }
}

/** Whether a request of the client may change the state. */
export function changesState(method: string): boolean {
  return method === 'logging/setLevel' || method === 'resources/subscribe' || method === 'resources/unsubscribe'
}

/** The state after a request of the client that was answered with success; the same object where nothing changed. */
export function stateAfter(state: ProtocolState, method: string, params: Readonly<Record<string, unknown>> | undefined): ProtocolState {
  const level = params?.['level']
  const uri = params?.['uri']
  if (method === 'logging/setLevel' && typeof level === 'string' && level !== state.logLevel) return { ...state, logLevel: level }
  if (typeof uri !== 'string') return state
  const subscribed = state.subscriptions.includes(uri)
  if (method === 'resources/subscribe' && !subscribed) return { ...state, subscriptions: [...state.subscriptions, uri] }
  if (method === 'resources/unsubscribe' && subscribed) {
    return { ...state, subscriptions: state.subscriptions.filter((other) => other !== uri) }
  }
  return state
}

/** The revision that a request speaks: its header, else what was negotiated. `undefined`: a revision that is not served. */
export function versionOf(header: string | undefined, state: ProtocolState): string | undefined {
  if (header === undefined || header === state.version) return state.version
  return knownVersions.includes(header) ? header : undefined
}

/** Older clients choke on an event without data. */
export function takesPriming(version: string): boolean {
  return version >= primingSince
}

export function takesBatches(state: ProtocolState): boolean {
  return state.version === batchVersion
}
