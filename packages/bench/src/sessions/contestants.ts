import type { Contestant, Family } from './contestant.ts'
import { fileContestants } from './contestants/file.ts'
import { idleHarness } from './contestants/harness.ts'
import { leveldbContestants } from './contestants/leveldb.ts'
import { memoryContestants } from './contestants/memory.ts'
import { postgresContestants } from './contestants/postgres.ts'
import { redisContestants } from './contestants/redis.ts'
import { sqliteContestants } from './contestants/sqlite.ts'

/** Whoever can be measured, family by family, our own first. A new one is one entry in its family's file. */
export const contestants: readonly Contestant[] = [
  idleHarness,
  ...memoryContestants,
  ...fileContestants,
  ...sqliteContestants,
  ...leveldbContestants,
  ...redisContestants,
  ...postgresContestants,
]

/** Those that have a backend of ours. */
export const ownFamilies: readonly Family[] = [...new Set(contestants.map(({ family }) => family))].filter((family) => family !== 'harness')

export function contestantNamed(name: string): Contestant | undefined {
  return contestants.find((contestant) => contestant.name === name)
}
