import type { Socket } from 'node:net'
import { resetSocket } from '@mcp-session/test-processes'

export type LineMode = 'forward' | 'black-hole' | 'drop-replies'

/** Waits for bytes of a client, of whichever connection. */
export interface Ambush {
  /** Whether these bytes, all that a connection has said since, are the ones. */
  match(bytes: Buffer): boolean
  /** They are: no other connection is caught. */
  caught(): void
  /** They have reached the server and the connection is reset. */
  sprung(): void
}

/** One connection through the relay. */
export interface FaultyLine {
  mode(mode: LineMode): void
  lieInWait(ambush: Ambush): void
  giveUp(ambush: Ambush): void
  reset(): void
}

export interface LineOptions {
  readonly client: Socket
  readonly upstream: Socket
  readonly mode: LineMode
  delayMs(): number
  onEnd(): void
}

const heardBytes = 1024 * 1024

export function faultyLine({ client, upstream, mode, delayMs, onEnd }: LineOptions): FaultyLine {
  const waiting = new Map<Ambush, Buffer>()
  let current = mode
  let lostReply = false
  let sprung: Ambush | undefined

  const toServer = lane(client, upstream, delayMs, (bytes) => {
    for (const [ambush, heard] of waiting) listen(ambush, Buffer.concat([heard, bytes]))
    return true
  })
  const toClient = lane(upstream, client, delayMs, () => {
    if (sprung !== undefined) {
      spring()
      return false
    }
    if (current !== 'drop-replies') return true
    lostReply = true
    return false
  })

  function listen(ambush: Ambush, heard: Buffer): void {
    waiting.set(ambush, heard.subarray(-heardBytes))
    if (sprung !== undefined || !ambush.match(heard)) return
    sprung = ambush
    ambush.caught()
  }

  // The server's side ends in order: whatever it was sent, it executes.
  function spring(): void {
    if (client.destroyed) return
    resetSocket(client)
    upstream.end()
    sprung?.sprung()
  }

  client.on('error', () => {})
  upstream.on('error', () => {})
  client.once('close', () => {
    if (sprung === undefined) resetSocket(upstream)
    onEnd()
  })
  upstream.once('close', () => {
    if (sprung !== undefined) spring()
    else if (upstream.errored !== null) resetSocket(client)
  })
  setMode(mode)

  function setMode(next: LineMode): void {
    current = next
    if (lostReply && next !== 'drop-replies') {
      reset()
      return
    }
    for (const each of [toServer, toClient]) each.flows(next !== 'black-hole')
  }

  function reset(): void {
    for (const socket of [client, upstream]) resetSocket(socket)
  }

  return {
    mode: setMode,
    lieInWait(ambush) {
      waiting.set(ambush, Buffer.alloc(0))
    },
    giveUp(ambush) {
      waiting.delete(ambush)
    },
    reset,
  }
}

interface Parcel {
  /** On the scale of `performance.now()`. */
  readonly dueAt: number
  /** `undefined`: the end. */
  readonly bytes: Buffer | undefined
}

// One direction of a connection. `passes` is asked when bytes are due, and `false` drops them.
function lane(from: Socket, to: Socket, delayMs: () => number, passes: (bytes: Buffer) => boolean): { flows(flowing: boolean): void } {
  const parcels: Parcel[] = []
  let flowing = true
  let timer: NodeJS.Timeout | undefined

  function take(bytes: Buffer | undefined): void {
    parcels.push({ dueAt: performance.now() + delayMs(), bytes })
    deliver()
  }

  function deliver(): void {
    clearTimeout(timer)
    for (let next = parcels[0]; next !== undefined && flowing && !to.writableNeedDrain; next = parcels[0]) {
      const early = next.dueAt - performance.now()
      if (early > 0) {
        timer = setTimeout(deliver, early)
        break
      }
      parcels.shift()
      if (next.bytes === undefined) to.end()
      else if (passes(next.bytes) && to.writable) to.write(next.bytes)
    }
    // What a sender has in transit is bounded, as by a real network.
    if (flowing && parcels.length < 64) from.resume()
    else from.pause()
  }

  from.on('data', take)
  from.once('end', () => take(undefined))
  to.on('drain', deliver)
  from.once('close', () => clearTimeout(timer))
  return {
    flows(next) {
      flowing = next
      deliver()
    },
  }
}
