import { isExpired } from '@mcp-session/core/backend'
import { parseHead } from './head.ts'
import { after, expiryKey, expiryOf, headKey } from './keys.ts'
import { rearm, removeSession } from './records.ts'
import type { StagedWrites } from './staged-writes.ts'

export interface SweepStep {
  readonly deleted: number
  /** Whether no more expiry keys are due. */
  readonly finished: boolean
}

/** Expiry keys that one batch looks at. */
const keysPerStep = 256
/** Sessions bring their events along: a step ends early rather than write more than this at once. */
const maxWrites = 2_000

/**
 * One batch of a sweep: deletes the expired among the sessions whose expiry keys are due, at most `limit`, and moves the keys of those
 * that were touched since. Its cost is that of what is due, whatever the size of the store.
 */
export async function sweepStep(staged: StagedWrites, limit: number, now: number): Promise<SweepStep> {
  const due = await staged.keys('x', `${expiryKey(now, '')}${after}`, keysPerStep)
  const before = staged.batch().entries.size
  let deleted = 0
  for (const key of due) {
    if (deleted >= limit || staged.batch().entries.size - before >= maxWrites) return { deleted, finished: false }
    if (await settle(staged, key, now)) deleted += 1
  }
  return { deleted, finished: due.length < keysPerStep }
}

/** Whether a session was deleted. Afterwards the key is gone, whatever it was. */
async function settle(staged: StagedWrites, key: string, now: number): Promise<boolean> {
  const { at, id } = expiryOf(key)
  const value = staged.get(headKey(id))
  const head = value === undefined ? undefined : parseHead(id, value)
  // A damaged session stays, so that whoever asks for it learns of it; a key that its session does not know is left from one.
  if (head === undefined || head.armedAt !== at) {
    staged.remove(key)
    return false
  }
  if (isExpired(head, now)) {
    await removeSession(staged, id, head)
    return true
  }
  rearm(staged, head)
  return false
}
