import type { SessionBackend } from '@mcp-session/core/backend'
import { type DiskState, diskCall, epoch, eventOf, keptEvents, recordOf, sweptAt } from './disk-states.ts'

/** One write, and the state of its session that it leads to. */
export interface DiskStep {
  readonly next: DiskState
  /** Throws where the store refuses, or answers what it must not. */
  run(backend: SessionBackend): Promise<void>
}

/** The session that a sweep takes again and again. Nobody else ends by expiry. */
export const sweptId = 's_swept'

const retention = { maxEvents: keptEvents, maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 2 ** 30 }

/** A step of any kind on a session. `rev`: one that was never used. */
export function diskStep(id: string, now: DiskState, rev: string, random: () => number): DiskStep {
  if (now === null) return create(id, rev)
  if (id === sweptId) return sweep
  const kind = random()
  if (kind < 0.1) return remove(id)
  if (kind < 0.6) return replace(id, now, rev)
  if (kind < 0.8) return touch(id, now)
  return append(id, now)
}

const sweep: DiskStep = {
  next: null,
  async run(backend) {
    expectOf('sweep', 1, await backend.deleteExpired(10, diskCall(sweptAt)))
  },
}

function create(id: string, rev: string): DiskStep {
  const record = recordOf(id, rev, null, epoch, id === sweptId ? sweptAt : Number.POSITIVE_INFINITY)
  return {
    next: { rev, at: epoch, events: 0 },
    async run(backend) {
      expectOf(`create of ${id}`, true, await backend.create(record, diskCall()))
    },
  }
}

function remove(id: string): DiskStep {
  return {
    next: null,
    async run(backend) {
      expectOf(`delete of ${id}`, true, await backend.delete(id, undefined, diskCall()))
    },
  }
}

function replace(id: string, now: NonNullable<DiskState>, rev: string): DiskStep {
  const record = recordOf(id, rev, now.rev, now.at, Number.POSITIVE_INFINITY)
  return {
    next: { ...now, rev },
    async run(backend) {
      expectOf(`replace of ${id}`, true, (await backend.replace(record, now.rev, diskCall())).replaced)
    },
  }
}

function touch(id: string, now: NonNullable<DiskState>): DiskStep {
  const at = now.at + 1
  return {
    next: { ...now, at },
    async run(backend) {
      const touch = { id, rev: now.rev, lastAccessedAt: at, expiresAt: Number.POSITIVE_INFINITY }
      expectOf(`touch of ${id}`, 'touched', await backend.touch(touch, diskCall()))
    },
  }
}

function append(id: string, now: NonNullable<DiskState>): DiskStep {
  const n = now.events + 1
  return {
    next: { ...now, events: n },
    async run(backend) {
      const sequence = await backend.events?.append(id, eventOf(id, n), retention, diskCall())
      if (sequence === undefined) throw new Error(`append to ${id} finds no session`)
    },
  }
}

function expectOf(what: string, wanted: unknown, answered: unknown): void {
  if (answered !== wanted) throw new Error(`${what} answers ${JSON.stringify(answered)}, not ${JSON.stringify(wanted)}`)
}
