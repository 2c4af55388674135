import { bitflip } from './bitflip.ts'
import { crashpoints } from './crashpoints.ts'
import { enospc } from './enospc.ts'
import type { Harness } from './harness.ts'
import { iofault } from './iofault.ts'
import { kill9 } from './kill9.ts'
import { lock } from './lock.ts'
import { powercut } from './powercut.ts'
import { soak } from './soak.ts'
import { truncate } from './truncate.ts'

/** The harnesses for the backends that write to disks of their own. */
export function diskHarnesses(): readonly Harness[] {
  return [kill9(), crashpoints(), lock(), enospc(), truncate(), bitflip(), iofault(), powercut(), soak()]
}
