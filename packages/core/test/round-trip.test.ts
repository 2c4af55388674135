import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { textCodec } from '../src/index.ts'
import { storable, storableMetadata } from './storable.ts'
import { openStore, present } from './store.ts'

describe('what is stored comes back equal', () => {
  it.each([
    ['with a cache', {}],
    ['without a cache', { cacheBytes: 0 }],
    ['through a codec of the application', { cacheBytes: 0, codec: { encode: textCodec.encode, decode: textCodec.decode } }],
  ])('%s', async (_name, options) => {
    const { sessions } = await openStore<Record<string, unknown>>(options)
    await fc.assert(
      fc.asyncProperty(storableMetadata, storable, storableMetadata, async (metadata, context, next) => {
        const { id } = await sessions.create(metadata, { context })
        const created = present(await sessions.retrieve(id))
        deepStrictEqual(created.metadata, metadata)
        deepStrictEqual(created.context, context)
        await sessions.update(id, () => next)
        const updated = present(await sessions.retrieve(id))
        deepStrictEqual(updated.metadata, next)
        deepStrictEqual(updated.context, context)
        await sessions.delete(id)
      }),
      { numRuns: 120 },
    )
  })

  it('the values that JSON cannot keep', async () => {
    const { sessions } = await openStore<Record<string, unknown>>({ cacheBytes: 0 })
    const metadata = {
      date: new Date(1_700_000_000_123),
      map: new Map<unknown, unknown>([[{ key: 1 }, new Set([1n, 'a', null])]]),
      bigint: -(2n ** 64n),
      bytes: new Uint8Array([0, 255]),
      undefined,
      numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324],
      nul: 'a\0b',
      lone: '\ud800 and \udfff',
      'key with \0 and \ud800': 1,
      $: { $: 'date', v: 5 },
      bare: Object.assign(Object.create(null), { toString: 1 }),
    }
    const { id } = await sessions.create(metadata)
    deepStrictEqual(present(await sessions.retrieve(id)).metadata, metadata)
  })
})
