import type { Call, SessionBackend, SessionRecord } from '@mcp-session/core/backend'
import { memoryBackend } from '../src/index.ts'

export function record(id: string, fields: Partial<SessionRecord> = {}): SessionRecord {
  const lastAccessedAt = fields.lastAccessedAt ?? 0
  const ttlMs = fields.ttlMs ?? Number.POSITIVE_INFINITY
  const mustEndAt = fields.mustEndAt ?? Number.POSITIVE_INFINITY
  return {
    id,
    rev: `rev-of-${id}`,
    prevRev: null,
    owner: null,
    createdAt: lastAccessedAt,
    lastAccessedAt,
    ttlMs,
    mustEndAt,
    expiresAt: Math.min(lastAccessedAt + ttlMs, mustEndAt),
    data: '{}',
    ...fields,
  }
}

/** A call at that instant, with all the time it may need. */
export function at(now: number): Call {
  return { now, deadlineAt: Number.POSITIVE_INFINITY }
}

export async function opened(options?: Parameters<typeof memoryBackend>[0]): Promise<SessionBackend> {
  const backend = memoryBackend(options)
  await backend.open()
  return backend
}

/** The ids of a whole listing, page by page. */
export async function idsOf(
  backend: SessionBackend,
  query: { limit: number; owner?: string; prefix?: string },
  now = 0,
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  for (let page = 1; ; page += 1) {
    const answer = await backend.list({ ...query, ...(cursor === undefined ? {} : { cursor }) }, at(now))
    ids.push(...answer.records.map((entry) => entry.id))
    if (answer.cursor === undefined) return ids
    cursor = answer.cursor
    await between(page)
  }
}

/** Whole numbers from 0 to below `bound`, the same in every run (Park and Miller's generator). */
export function dice(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (state * 48_271) % 2_147_483_647
    return state % bound
  }
}
