import { storedInstant } from './rows.ts'

/**
 * One-dimensional arrays as the engine sends and reads them itself (`array_send`, `array_recv` of PostgreSQL's source): the driver
 * would write a text with every element in quotes, which costs both sides more than everything else of a flush of 1 KB records.
 * The driver passes buffers on as they are, in the binary format.
 */
const bigintOid = 20
const textOid = 25
const headBytes = 20

/** `bigint[]`. `Infinity` is `never`. A `RangeError` for what is no integer. */
export function bigints(values: readonly (number | null)[]): Buffer {
  const array = Buffer.allocUnsafe(headBytes + 12 * values.length)
  let at = writeHead(array, bigintOid, values)
  for (const value of values) {
    at = array.writeInt32BE(value === null ? -1 : 8, at)
    if (value !== null) at = array.writeBigInt64BE(BigInt(storedInstant(value)), at)
  }
  return array.subarray(0, at)
}

/** `text[]`. */
export function texts(values: readonly (string | null)[]): Buffer {
  let most = headBytes
  for (const value of values) most += 4 + (value === null ? 0 : mostBytes(value))
  const array = Buffer.allocUnsafe(most)
  let at = writeHead(array, textOid, values)
  for (const value of values) {
    const written = value === null ? -1 : array.write(value, at + 4)
    array.writeInt32BE(written, at)
    at += 4 + Math.max(0, written)
  }
  return array.subarray(0, at)
}

/** Three bytes a UTF-16 unit are always enough; counting a short text costs more than the room. */
function mostBytes(text: string): number {
  return text.length < 4_096 ? 3 * text.length : Buffer.byteLength(text)
}

/** Dimensions, whether there are nulls, type of the elements, then length and lower bound of the one dimension. */
function writeHead(array: Buffer, oid: number, values: readonly unknown[]): number {
  array.writeInt32BE(values.length === 0 ? 0 : 1, 0)
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  array.writeInt32BE(oid, 8)
  if (values.length === 0) return 12
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  return headBytes
}
