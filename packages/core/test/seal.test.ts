import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../src/backend.ts'
import { expiryOf } from '../src/expiry.ts'
import { hasConsistentExpiry, seal, sealedBytes, unseal } from '../src/seal.ts'
import { bitFlips } from './bit-flips.ts'
import { sessionFailure, startAt } from './store.ts'

function sealed(changes: Partial<SessionRecord> = {}, context = 'jnull', metadata = 'j{"a":"é"}'): SessionRecord {
  const header = {
    id: 's_AbC',
    rev: 'maker.1',
    prevRev: 'maker.0',
    owner: 'alice',
    createdAt: startAt,
    lastAccessedAt: startAt + 5,
    ttlMs: 60_000,
    mustEndAt: startAt + 1_000_000,
    ...changes,
  }
  const expiresAt = expiryOf(header.lastAccessedAt, header.ttlMs, header.mustEndAt)
  return { ...header, expiresAt, data: seal(header, { context, metadata }) }
}

async function isRefused(record: SessionRecord): Promise<boolean> {
  const error = await sessionFailure(
    Promise.resolve()
      .then(() => unseal(record, 'scripted'))
      .then(() => undefined),
  ).catch(() => undefined)
  return error?.code === 'MCP_SESSION_CORRUPT'
}

async function unnoticed(record: SessionRecord): Promise<string[]> {
  const missed: string[] = []
  for (const flip of bitFlips(record)) if (!(await isRefused(flip.record))) missed.push(flip.field)
  return missed
}

describe('a record', () => {
  it.each([
    ['', 'j{}'],
    ['jnull', 'j{"a":1}'],
    ['t{"a":":"}', 'j{"12:":1}'],
    ['x'.repeat(40_000), 'y'.repeat(40_000)],
  ])('gives its texts back', (context, metadata) => {
    expect(unseal(sealed({}, context, metadata), 'scripted')).toEqual({ context, metadata })
  })

  it('has the durable format', () => {
    const never = Number.POSITIVE_INFINITY
    expect(sealed({ prevRev: null, owner: null, ttlMs: never, mustEndAt: never }, '', 'j{}').data).toBe('1b8f0c8050:j{}')
    expect(sealed().data).toBe('1470f16db5:jnullj{"a":"é"}')
  })

  it('takes as many bytes as was said', () => {
    for (const texts of [
      { context: '', metadata: 'j{}' },
      { context: 'é'.repeat(5_000), metadata: '€'.repeat(70_000) },
    ]) {
      expect(Buffer.byteLength(seal(sealed(), texts))).toBeLessThanOrEqual(sealedBytes(texts))
    }
  })
})

describe('one flipped bit', () => {
  it('is noticed in every field of a record that an access moves', async () => {
    expect(await unnoticed(sealed())).toEqual([])
    expect(await unnoticed(sealed({ mustEndAt: Number.POSITIVE_INFINITY }))).toEqual([])
  })

  it('is noticed in all fields but lastAccessedAt where the expiry does not depend on it', async () => {
    // There the core has nothing to compare with: the bytes at rest are the engine's own duty.
    const missed = await unnoticed(
      sealed({ ttlMs: Number.POSITIVE_INFINITY, mustEndAt: Number.POSITIVE_INFINITY, owner: null, prevRev: null }),
    )
    expect(new Set(missed)).toEqual(new Set(['lastAccessedAt']))
  })
})

describe('fields of another record', () => {
  it.each([
    ['owner', { owner: null }],
    ['owner', { owner: 'alic' }],
    ['owner', { owner: 'alice\n' }],
    ['prevRev', { prevRev: null }],
    ['rev', { rev: 'maker.2' }],
    ['id', { id: 's_Abc' }],
    ['ttlMs', { ttlMs: Number.POSITIVE_INFINITY }],
    ['mustEndAt', { mustEndAt: Number.POSITIVE_INFINITY }],
    ['createdAt', { createdAt: startAt + 1 }],
    ['expiresAt', { expiresAt: startAt + 1 }],
    ['lastAccessedAt', { lastAccessedAt: startAt - 1 }],
    ['data', { data: '' }],
    ['data', { data: sealed({ rev: 'maker.2' }).data }],
    ['data', { data: `${sealed().data} ` }],
  ])('are corrupt: %s %o', async (_field, changes) => {
    expect(await isRefused({ ...sealed(), ...changes })).toBe(true)
  })

  it('are consistent where the expiry is the minimum of both limits', () => {
    expect(hasConsistentExpiry(sealed())).toBe(true)
    expect(hasConsistentExpiry(sealed({ mustEndAt: startAt + 6 }))).toBe(true)
    expect(hasConsistentExpiry({ ...sealed(), expiresAt: startAt + 1_000_000 })).toBe(false)
  })
})
