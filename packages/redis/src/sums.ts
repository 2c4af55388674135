import { crc32 } from 'node:zlib'

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  return sum
})

/** Up to here a loop is faster than a call of native code (measured: 17 characters 57 ns and 95 ns, 64 as fast as each other). */
const shortLength = 64

/** CRC-32 as zlib has it. */
export function sumOf(text: string, seed = 0): number {
  const sum = text.length > shortLength ? -1 : sumOfPart(text, 0, text.length, seed)
  return sum < 0 ? crc32(text, seed) : sum
}

/** Of a part of a text that is ASCII there; -1, which is nothing's sum, where it is not. */
export function sumOfPart(text: string, from: number, to: number, seed = 0): number {
  let sum = ~seed
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at)
    if (!(code < 128)) return -1
    sum = (table[(sum ^ code) & 255] ?? 0) ^ (sum >>> 8)
  }
  return ~sum >>> 0
}

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Eight hexadecimal digits. */
export function sumText(sum: number): string {
  return `${pairs[sum >>> 24]}${pairs[(sum >>> 16) & 255]}${pairs[(sum >>> 8) & 255]}${pairs[sum & 255]}`
}

/** What {@link sumText} has made; -2 for anything else. */
export function sumIn(text: string, at: number): number {
  let sum = 0
  for (let n = at; n < at + 8; n += 1) {
    const code = text.charCodeAt(n)
    if (code >= 48 && code <= 57) sum = sum * 16 + (code - 48)
    else if (code >= 97 && code <= 102) sum = sum * 16 + (code - 87)
    else return -2
  }
  return sum
}
