import { setTimeout as after } from 'node:timers/promises'
import { type ClientProcess, startClient } from './client-process.ts'
import { NotRun } from './harness.ts'
import type { RunningStore } from './running-store.ts'

/** Takes the engine away, and gives it back. */
export interface Outage {
  begin(): Promise<void>
  /** Resolves once the engine is back. */
  end(): Promise<void>
}

export const outageKinds = ['kill', 'stop', 'drop', 'rst', 'restart'] as const
export type OutageKind = (typeof outageKinds)[number]

const restartEveryMs = 2_000

/** `holder`: of a store without a server, the process that keeps its lock. */
export function outageOf(kind: OutageKind, store: RunningStore, holder: ClientProcess | undefined): Outage {
  if (holder !== undefined) return { begin: () => told(holder, 'hold'), end: () => told(holder, 'release') }
  const { engines, relays } = store
  const each = async (step: (engine: (typeof engines)[number]) => Promise<void>) => {
    for (const engine of engines) await step(engine)
  }
  const kill = () => Promise.all(engines.map((engine) => engine.kill()))
  const start = async () => {
    await each((engine) => engine.start())
    await store.settled()
  }
  switch (kind) {
    case 'kill':
      return { begin: async () => void (await kill()), end: start }
    case 'stop':
      return { begin: () => each((engine) => engine.pause()), end: () => each((engine) => engine.resume()) }
    case 'restart':
      return repeated(async () => {
        await kill()
        await start()
        await after(restartEveryMs)
      })
    case 'drop':
    case 'rst': {
      if (relays.length === 0) throw new NotRun('no relay is in front of this engine')
      const all = (mode: 'forward' | 'reset' | 'black-hole') => relays.map((relay) => relay.mode(mode))
      if (kind === 'drop') return { begin: async () => void all('black-hole'), end: async () => void all('forward') }
      return repeated(async () => {
        all('reset')
        await after(100)
        all('forward')
        await after(50)
      })
    }
  }
}

/** A process that holds the write lock of a file. */
export async function startHolder(store: RunningStore): Promise<ClientProcess> {
  return startClient(new URL('./lock-holder.ts', import.meta.url), [`--store=${store.place}`])
}

function told(holder: ClientProcess, what: 'hold' | 'release'): Promise<void> {
  return holder.ask({ do: what }).then(() => {})
}

/** Again and again until its end, and then the last time to the end. */
function repeated(round: () => Promise<void>): Outage {
  let isOver = false
  let rounds: Promise<void> = Promise.resolve()
  return {
    async begin() {
      rounds = (async () => {
        while (!isOver) await round()
      })()
      rounds.catch(() => {})
    },
    async end() {
      isOver = true
      await rounds
    },
  }
}
