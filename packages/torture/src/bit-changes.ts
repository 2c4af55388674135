/** The bytes once for each of their bits, with that bit turned over. */
export function* flippedBytes(bytes: Buffer): Generator<{ readonly bit: number; readonly bytes: Buffer }> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const other = Buffer.from(bytes)
    other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    yield { bit, bytes: other }
  }
}

/** An integer of 64 bits once for each of them, with that bit turned over. */
export function* flippedInteger(value: bigint): Generator<{ readonly bit: number; readonly value: bigint }> {
  for (let bit = 0; bit < 64; bit += 1) yield { bit, value: BigInt.asIntN(64, value ^ (1n << BigInt(bit))) }
}
