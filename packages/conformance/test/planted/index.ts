import { atomicPlants } from './atomic.ts'
import { deadlinePlants } from './deadlines.ts'
import { eventRetentionPlants } from './event-retention.ts'
import { eventPlants } from './events.ts'
import { expiryPlants } from './expiry.ts'
import { failurePlants } from './failures.ts'
import { lifecyclePlants } from './lifecycle.ts'
import { listingPlants } from './listing.ts'
import type { Plant } from './plant.ts'
import { signalPlants } from './signals.ts'
import { sweepPlants } from './sweep.ts'
import { touchAndDeletePlants } from './touch-and-delete.ts'
import { valuePlants } from './values.ts'
import { writePlants } from './writes.ts'

/** Every bug that the kit is tried on. */
export const plants: readonly Plant[] = [
  ...expiryPlants,
  ...writePlants,
  ...atomicPlants,
  ...touchAndDeletePlants,
  ...valuePlants,
  ...listingPlants,
  ...sweepPlants,
  ...lifecyclePlants,
  ...failurePlants,
  ...deadlinePlants,
  ...eventPlants,
  ...eventRetentionPlants,
  ...signalPlants,
]
