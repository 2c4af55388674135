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
    if (value !== null) at = writeBigint(array, storedInstant(value), at)
  }
  return array.subarray(0, at)
}

/** `text[]`. */
export function texts(values: readonly (string | null)[]): Buffer {
  let units = 0
  for (const value of values) units += value?.length ?? 0
  // Most texts have hardly more bytes than units; for others there is more room made below.
  let array: Buffer = Buffer.allocUnsafe(headBytes + 4 * values.length + units + (units >> 3))
  let at = writeHead(array, textOid, values)
  for (const value of values) {
    const room = value === null ? 0 : 3 * value.length
    // Three bytes a unit are always enough. Counting costs as much as writing.
    if (array.length - at < 4 + room) array = withRoom(array, at, 4 + Buffer.byteLength(value ?? ''))
    const written = value === null ? -1 : array.write(value, at + 4)
    array.writeInt32BE(written, at)
    at += 4 + Math.max(0, written)
  }
  return array.subarray(0, at)
}

/** A `BigInt` for every number would cost more than all else here. The low half is what the high one leaves, for negative ones too. */
function writeBigint(array: Buffer, value: number, at: number): number {
  if (!Number.isInteger(value)) throw new RangeError(`${value} is not an integer`)
  const high = Math.floor(value / 2 ** 32)
  array.writeInt32BE(high, at)
  return array.writeUInt32BE(value - high * 2 ** 32, at + 4)
}

function withRoom(array: Buffer, at: number, room: number): Buffer {
  if (array.length - at >= room) return array
  const larger = Buffer.allocUnsafe(2 * (at + room))
  array.copy(larger, 0, 0, at)
  return larger
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
