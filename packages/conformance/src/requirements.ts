import type { SessionBackend } from '@mcp-session/core/backend'
import { callAt } from './calls.ts'
import type { Case, Requirement } from './case.ts'
import { START } from './clock.ts'
import type { Harness } from './harness.ts'

/** What a backend and its harness offer, and what they do not, in words. */
export interface Offer {
  /** Why a case does not run, or `undefined` when it does. */
  missing(subject: Pick<Case, 'requires'>): string | undefined
}

/** Looks at an open backend: its `info`, its facets, and whether its engine has a clock. */
export async function offerOf(backend: SessionBackend, harness: Harness): Promise<Offer> {
  const { sharing, durability } = backend.info
  const { engineNow } = await backend.health(callAt(START))
  const reopen = harness.reopen !== undefined
  const met: Record<Requirement, boolean> = {
    borrow: harness.borrow !== undefined,
    crash: harness.crash !== undefined && reopen && durability !== 'none' && durability !== 'caller',
    durable: reopen && durability !== 'none',
    'engine-clock': engineNow !== undefined,
    errors: harness.errors !== undefined && harness.errors.length > 0,
    events: backend.events !== undefined,
    'events and signals': backend.events !== undefined && backend.signals !== undefined,
    reopen,
    'second-process': harness.secondProcess !== undefined && reopen,
    shared: reopen && sharing !== 'process',
    'shared-by-processes': harness.secondProcess !== undefined && reopen && sharing !== 'process',
    signals: backend.signals !== undefined,
  }
  return {
    missing({ requires = [] }) {
      const unmet = requires.filter((requirement) => !met[requirement])
      return unmet.length === 0 ? undefined : unmet.map((requirement) => reasons[requirement]).join(', ')
    },
  }
}

const reasons: Record<Requirement, string> = {
  borrow: 'the harness has no borrow',
  crash: 'the harness has no crash, or the backend does not promise to survive one',
  durable: 'nothing outlives the backend object',
  'engine-clock': 'the engine has no clock of its own',
  errors: 'the harness lists no driver errors',
  events: 'no event log',
  'events and signals': 'no event log or no signals',
  reopen: 'the harness has no reopen',
  'second-process': 'the harness has no secondProcess',
  shared: 'only one backend object can have the store open',
  'shared-by-processes': 'only one process can have the store open, or the harness has no secondProcess',
  signals: 'no signals',
}
