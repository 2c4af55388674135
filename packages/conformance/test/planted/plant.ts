import type { Call, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import type { LawId } from '../../src/laws.ts'
import type { Engine } from '../simulated-engine.ts'

/** A bug: what a correct backend is turned into, and the law that is broken then. */
export interface Plant {
  readonly id: string
  readonly law: LawId
  plant(backend: SessionBackend, engine: Engine): SessionBackend
}

/** The same call a little earlier or later by the clock: off by one at every deadline. */
export function shifted(call: Call, ms: number): Call {
  return { ...call, now: call.now + ms }
}

/** Writes a record whatever is there: what no backend may do. */
export async function put(backend: SessionBackend, record: SessionRecord, call: Call): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await backend.create(record, call)) return
    const current = await backend.get(record.id, call)
    if (current !== undefined && (await backend.replace(record, current.rev, call)).replaced) return
  }
}

/** What the nodes of one store remember together, under a name. */
export function remembered<T>(engine: Engine, name: string, make: () => T): T {
  if (!engine.shared.has(name)) engine.shared.set(name, make())
  // The name stands for one type: each is used by one plant.
  return engine.shared.get(name) as T
}
