import { SessionError } from '@mcp-session/core/backend'
import type { Checkpointer } from './checkpointer.ts'
import type { Reserve } from './reserve.ts'

/** Whether there is room to write, in the log and on the disk. */
export interface Room {
  /** Why nothing may be written now that does not make room; `undefined`: it may. */
  refusal(): Promise<SessionError | undefined>
  /** Gives the reserve away, for what must be written. */
  makeSome(): Promise<void>
  /** A transaction was committed. */
  written(): void
}

/** Of a file of our own. Once its reserve was used, nothing else uses it: the disk must have room for a new one first. */
export function ownRoom(checkpoints: Checkpointer, reserve: Reserve, maxWalBytes: number): Room {
  let isFull = false
  return {
    async refusal() {
      await checkpoints.catchUp()
      if (isFull) await reserve.keep()
      isFull &&= reserve.isGone()
      if (isFull) return noRoom()
      if (checkpoints.heldBytes() <= maxWalBytes) return undefined
      // The thread looks again after this, so that the end of the reader is seen.
      checkpoints.written()
      return longReader(maxWalBytes)
    },
    async makeSome() {
      // Without a reserve there is nothing to win by refusing the others.
      isFull ||= !reserve.isGone()
      await reserve.release()
    },
    written: checkpoints.written,
  }
}

/** Of a connection of the application: it decides. */
export const anyRoom: Room = { refusal: async () => undefined, makeSome: async () => {}, written() {} }

function noRoom(): SessionError {
  return new SessionError(
    'MCP_SESSION_LIMIT',
    'The disk of the SQLite file is full, nothing was written: make room, and calls succeed again. Sessions can be deleted meanwhile',
    { retryable: true },
  )
}

function longReader(maxWalBytes: number): SessionError {
  return new SessionError(
    'MCP_SESSION_LIMIT',
    `A reader has kept SQLite's write-ahead log from being written back until it passed maxWalBytes (${maxWalBytes}), nothing was written: end that read transaction`,
    { retryable: true },
  )
}
