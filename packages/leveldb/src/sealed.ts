import { crc32 } from 'node:zlib'

/** A value with a checksum of itself and of its key before it. LevelDB checks none by default when it reads. */
export function seal(key: string, text: string): string {
  return checksum(key, text) + text
}

/** What was sealed under that key; `undefined` where it is not what was written. */
export function unseal(key: string, value: string): string | undefined {
  const text = value.slice(checksumLength)
  return value.slice(0, checksumLength) === checksum(key, text) ? text : undefined
}

/** As {@link unseal}, for a JSON array that {@link seal} was given. Its items are what was written: the checksum says so. */
export function unsealItems(key: string, value: string): unknown[] | undefined {
  const text = unseal(key, value)
  if (text === undefined) return undefined
  const items: unknown = JSON.parse(text)
  return Array.isArray(items) ? items : undefined
}

const checksumLength = 8

function checksum(key: string, text: string): string {
  return crc32(text, crc32(key)).toString(16).padStart(checksumLength, '0')
}
