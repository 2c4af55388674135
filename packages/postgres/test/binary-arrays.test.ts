import { startPostgres } from '@mcp-session/test-engines'
import { expect, it } from 'vitest'
import { bigints, texts } from '../src/binary-arrays.ts'
import { engineOfFile, sql } from './fixtures.ts'

const server = engineOfFile(() => startPostgres())

/** What the engine takes an array for, as JSON. */
async function read(type: string, array: Buffer): Promise<unknown> {
  const [[text]] = (await sql(server.url, `SELECT to_json($1::${type}[])::text`, [array])) as [[string]]
  return JSON.parse(text)
}

it('the engine reads every text as it was given, and null as null', async () => {
  const values = ['', 'a', null, 'NULL', '{"a,b"}', "'\\", 'Łódź \u{1F600} \u0001', 'é'.repeat(5_000), 'x'.repeat(100_000), null]
  expect(await read('text', texts(values))).toEqual(values)
})

it('the engine reads every integer as it was given, Infinity as never, and null as null', async () => {
  const values = [0, 1, -1, null, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1_700_000_000_000]
  expect(await read('bigint', bigints(values))).toEqual(values)
  expect(await read('bigint', bigints([Number.POSITIVE_INFINITY]))).toEqual([2 ** 53])
})

it('an array may be empty, or hold nothing but null', async () => {
  expect(await read('text', texts([]))).toEqual([])
  expect(await read('bigint', bigints([]))).toEqual([])
  expect(await read('text', texts([null]))).toEqual([null])
})

it('what is no integer is refused before anything is sent', () => {
  expect(() => bigints([1, 1.5])).toThrow(RangeError)
  expect(() => bigints([Number.NaN])).toThrow(RangeError)
})
