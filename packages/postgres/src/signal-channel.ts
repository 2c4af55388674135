import { createHash } from 'node:crypto'
import type { Names } from './names.ts'

/** Channels of PostgreSQL have at most 63 bytes: a hash stands for the store and the channel. */
export function engineChannel({ schema }: Names, channel: string): string {
  return `mcp_session_${createHash('sha256').update(`${schema}\0${channel}`).digest('hex').slice(0, 48)}`
}

/** A payload has less than 8,000 bytes and no NUL; as JSON, a message of 1 KiB has at most 6,146 bytes. */
export function encodeMessage(message: string): string {
  return JSON.stringify(message)
}

/** `undefined` for what is not one of ours. */
export function decodeMessage(payload: string | undefined): string | undefined {
  try {
    const message: unknown = JSON.parse(payload ?? '')
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
