import { DriverError, type Reaction } from './scripted-backend.ts'

/** The write is carried out, and its reply never arrives. */
export const lostReply: Reaction = async (apply) => {
  await apply()
  throw lost()
}

/** The request gets lost on its way: nothing is carried out, and the caller cannot tell. */
export const lostRequest: Reaction = async () => {
  throw lost()
}

/** The engine never answers. */
export const hang: Reaction = () => new Promise(() => {})

export function fails(error: unknown): Reaction {
  return async () => {
    throw error
  }
}

/** Something else happens at the engine just before the call. */
export function after(event: () => unknown): Reaction {
  return async (apply) => {
    await event()
    return apply()
  }
}

/** Something else happens at the engine between the call and its lost reply. */
export function lostReplyThen(event: () => unknown): Reaction {
  return async (apply) => {
    await apply()
    await event()
    throw lost()
  }
}

export interface Parked {
  readonly reaction: Reaction
  /** Resolves once a call has arrived. */
  readonly arrived: Promise<void>
  /** Lets the parked calls go on, and all later ones pass. */
  release(): void
}

/** Holds calls at the engine until they are released. */
export function parked(): Parked {
  let arrive = () => {}
  let release = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    arrived,
    release: () => release(),
    reaction: async (apply) => {
      arrive()
      await released
      return apply()
    },
  }
}

function lost(): DriverError {
  return new DriverError('socket closed', { code: 'MCP_SESSION_UNAVAILABLE', retryable: true, outcome: 'unknown' })
}
