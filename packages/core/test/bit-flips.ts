import type { SessionRecord } from '../src/backend.ts'

export interface Flip {
  readonly field: keyof SessionRecord
  readonly bit: number
  readonly record: SessionRecord
}

/** A record once for each bit of each of its fields, with that bit turned over: text as UTF-8, numbers as integer and as double. */
export function* bitFlips(record: SessionRecord): Generator<Flip> {
  for (const [name, value] of Object.entries(record)) {
    const field = name as keyof SessionRecord
    const flipped = typeof value === 'string' ? textFlips(value) : typeof value === 'number' ? numberFlips(value) : []
    let bit = 0
    for (const other of flipped) {
      if (!Object.is(other, value)) yield { field, bit, record: { ...record, [field]: other } }
      bit += 1
    }
  }
}

function* textFlips(text: string): Generator<string> {
  const bytes = Buffer.from(text)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const other = Buffer.from(bytes)
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield other.toString('utf8')
  }
}

function* numberFlips(value: number): Generator<number> {
  for (let bit = 0n; bit < 64n; bit += 1n) {
    const double = new DataView(new ArrayBuffer(8))
    double.setFloat64(0, value)
    double.setBigUint64(0, double.getBigUint64(0) ^ (1n << bit))
    yield double.getFloat64(0)
    if (Number.isSafeInteger(value)) yield Number(BigInt.asIntN(64, BigInt(value) ^ (1n << bit)))
  }
}
