import { abandoned } from './abandoned.ts'
import { abort } from './abort.ts'
import { counter } from './counter.ts'
import { deletefinal } from './deletefinal.ts'
import { diskHarnesses } from './disk-harnesses.ts'
import { failover } from './failover.ts'
import type { Harness } from './harness.ts'
import { kills } from './kills.ts'
import { lin } from './lin.ts'
import { nodes } from './nodes.ts'
import { outage } from './outage.ts'
import { replay } from './replay.ts'
import { rot } from './rot.ts'

/** What the command line sets for single harnesses. */
export interface HarnessSettings {
  /** `retryMs` of the servers that are killed. */
  readonly retryMs: number
  /** How long engines are away. */
  readonly outageMs: number
}

/** All harnesses, in the order in which `torture all` runs them. */
export function harnesses({ retryMs, outageMs }: HarnessSettings): readonly Harness[] {
  return [
    kills(retryMs),
    nodes,
    replay(),
    abandoned(),
    counter(),
    deletefinal(),
    lin(),
    abort(),
    outage({ outageMs }),
    failover(),
    rot(),
    ...diskHarnesses(),
  ]
}
