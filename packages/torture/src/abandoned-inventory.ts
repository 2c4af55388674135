/** What a server process holds at one moment, after a forced collection. */
export interface Inventory {
  readonly heapBytes: number
  /** Outside the heap, as far as V8 knows. */
  readonly externalBytes: number
  /** How often a server was made, and how many of them have not closed. */
  readonly madeServers: number
  readonly liveServers: number
  readonly timers: number
  /** On the process and the HTTP server. */
  readonly listeners: number
  /** Requests that are not answered to the end. */
  readonly streams: number
  readonly sockets: number
  /** What keeps the process alive, by type. */
  readonly resources: Readonly<Record<string, number>>
  /** Live records in the store, by kind. */
  readonly records: Readonly<Record<string, number>>
}

/** What is asked of the server process. */
export interface InventoryRequest {
  readonly number: number
  /** Moves its clock forward first. */
  readonly advanceMs: number
  /** Whether expired records are deleted then, and live servers waited for until they have closed. */
  readonly cleanUp: boolean
}

export interface InventoryAnswer {
  readonly number: number
  readonly inventory: Inventory
}

const mebibyte = 1_048_576
/** The node's own, for deadlines and its heartbeat: which of them are pending at one moment is chance. */
const ownTimers = 3
/** To an engine: how many of them are open at one moment is chance as well. */
const ownConnections = 16

/** What may be there of Node, JIT and garbage that a collection leaves. */
function tolerance(heapBytes: number): number {
  return Math.max(0.05 * heapBytes, 3 * mebibyte)
}

/** What `end` has that `start` had not, in sentences. */
export function leftovers(start: Inventory, end: Inventory): string[] {
  const found: string[] = []
  const grown = end.heapBytes - start.heapBytes
  if (grown > tolerance(start.heapBytes)) found.push(`the heap has grown from ${megabytes(start.heapBytes)} to ${megabytes(end.heapBytes)}`)
  if (end.liveServers > 0) found.push(`${end.liveServers} of ${end.madeServers} servers have not closed`)
  if (end.streams > 0) found.push(`${end.streams} responses are open`)
  if (end.sockets > 0) found.push(`${end.sockets} sockets are open`)
  if (end.timers > start.timers + ownTimers) found.push(`${end.timers} timers are pending, ${start.timers} were`)
  if (end.listeners > start.listeners) found.push(`${end.listeners} listeners are there, ${start.listeners} were`)
  for (const [type, count] of Object.entries(end.resources)) {
    const before = (start.resources[type] ?? 0) + (type === 'TCPSocketWrap' ? ownConnections : 0)
    // Counted above, with those that do not keep the process alive.
    if (type !== 'Timeout' && count > before) found.push(`${count} resources of type ${type} are active, at most ${before} were expected`)
  }
  for (const [kind, count] of Object.entries(end.records)) {
    // A node that serves streams keeps one record alive that says so.
    if (count > (kind === '!node' ? 1 : 0)) found.push(`${count} records of kind ${kind} are in the store`)
  }
  return found
}

function megabytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MB`
}
