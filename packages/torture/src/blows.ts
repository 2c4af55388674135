import { setTimeout as after } from 'node:timers/promises'
import type { ClientProcess } from './client-process.ts'
import { NotRun } from './harness.ts'
import { whole } from './replay-history.ts'
import type { RunningStore } from './running-store.ts'

/** One blow under load. When it resolves, what was hit is back. */
export type Blow = (random: () => number) => Promise<void>

export type BlowKind = 'kill' | 'stop' | 'rst' | 'lost'

/** Longer than the deadline of a call may be: some run into it. */
const longestStopMs = 1_500

/** Blows to the engine; where it lives in the clients' processes, to those: `replace` puts another in the place of one that was killed. */
export function blowOf(
  kind: BlowKind,
  store: RunningStore,
  clients: readonly ClientProcess[],
  replace: (number: number) => Promise<void>,
): Blow {
  if (store.engines.length > 0) return engineBlow(kind, store)
  if (kind === 'kill') return (random) => replace(whole(random, clients.length))
  if (kind !== 'stop') throw new NotRun('no connection leads to an engine that lives in the clients’ processes')
  return async (random) => {
    const client = oneOf(clients, random)
    client.pause()
    await after(whole(random, longestStopMs / 4))
    client.resume()
  }
}

function engineBlow(kind: BlowKind, { engines, relays, survivesCrash, settled, disconnect }: RunningStore): Blow {
  if (kind === 'kill') {
    if (!survivesCrash) throw new NotRun('a crash of this engine takes what was acknowledged, as its README says')
    return async (random) => {
      const engine = oneOf(engines, random)
      await engine.kill()
      await after(whole(random, 300))
      await engine.start()
      await settled()
    }
  }
  if (kind === 'stop') {
    return async (random) => {
      const engine = oneOf(engines, random)
      await engine.pause()
      await after(whole(random, longestStopMs))
      await engine.resume()
      await settled()
    }
  }
  if (kind === 'rst' && disconnect !== undefined) {
    return async (random) => {
      await disconnect()
      await after(whole(random, 100))
    }
  }
  if (relays.length === 0) throw new NotRun('no relay is in front of this engine')
  if (kind === 'rst') {
    return async (random) => {
      for (let storm = 1 + whole(random, 8); storm > 0; storm -= 1) {
        const relay = oneOf(relays, random)
        relay.mode('reset')
        await after(whole(random, 30))
        relay.mode('forward')
        await after(whole(random, 60))
      }
    }
  }
  return async (random) => {
    const relay = oneOf(relays, random)
    relay.mode(whole(random, 2) === 0 ? 'drop-replies' : 'black-hole')
    await after(whole(random, longestStopMs))
    relay.mode('forward')
  }
}

function oneOf<T>(items: readonly T[], random: () => number): T {
  const item = items[whole(random, items.length)]
  if (item === undefined) throw new RangeError('There is nothing to hit')
  return item
}
