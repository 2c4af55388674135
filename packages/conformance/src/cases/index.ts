import type { Case } from '../case.ts'
import { atomicCases } from './atomic.ts'
import { createCases } from './create.ts'
import { cursorCases } from './cursors.ts'
import { deadlineCases } from './deadlines.ts'
import { deleteCases } from './delete.ts'
import { durabilityCases } from './durability.ts'
import { errorCases } from './errors.ts'
import { eventReadingCases } from './event-reading.ts'
import { eventRetentionCases } from './event-retention.ts'
import { eventCases } from './events.ts'
import { expiryCases } from './expiry.ts'
import { hostileCases } from './hostile.ts'
import { knownCases } from './known.ts'
import { leakCases } from './leaks.ts'
import { lifecycleCases } from './lifecycle.ts'
import { linearizabilityCases } from './linearizability.ts'
import { listingCases } from './listing.ts'
import { modelCases } from './model.ts'
import { processCases } from './processes.ts'
import { replaceCases } from './replace.ts'
import { signalCases } from './signals.ts'
import { storeFailureCases } from './store-failures.ts'
import { storeSessionCases } from './store-sessions.ts'
import { storeUpdateCases } from './store-updates.ts'
import { storeValueCases } from './store-values.ts'
import { sweepCases } from './sweep.ts'
import { touchCases } from './touch.ts'

/** Every case of the kit, in the order in which they run. */
export const allCases: readonly Case[] = [
  ...createCases,
  ...replaceCases,
  ...touchCases,
  ...deleteCases,
  ...expiryCases,
  ...sweepCases,
  ...listingCases,
  ...cursorCases,
  ...atomicCases,
  ...hostileCases,
  ...knownCases,
  ...eventCases,
  ...eventReadingCases,
  ...eventRetentionCases,
  ...signalCases,
  ...deadlineCases,
  ...errorCases,
  ...lifecycleCases,
  ...storeUpdateCases,
  ...storeSessionCases,
  ...storeValueCases,
  ...storeFailureCases,
  ...leakCases,
  ...modelCases,
  ...linearizabilityCases,
  ...processCases,
  ...durabilityCases,
]
