/** What the host's authentication found out, in the shape of the SDKs' `AuthInfo`. */
export interface AuthInfo {
  token: string
  clientId: string
  scopes: string[]
  /** Seconds since the epoch. */
  expiresAt?: number
  resource?: URL
  extra?: Record<string, unknown>
}

export interface PrincipalContext {
  readonly authInfo: AuthInfo | undefined
  /** Absent when `handler.ownerOf` asks. Its body is not readable. */
  readonly request?: Request
}

/**
 * Who is asking: a non-empty array of non-empty strings, best issuer, subject and client; never bytes of a token, since the
 * principal must stay the same when the token is refreshed. Anything else, or a throw, is answered with 401.
 */
export type PrincipalFunction = (
  context: PrincipalContext,
) => readonly unknown[] | null | undefined | false | Promise<readonly unknown[] | null | undefined | false>

export type Principal = 'anonymous' | PrincipalFunction

/** The owner text under which sessions of this principal are stored. `null`: anonymous; `undefined`: nobody, so 401. */
export async function ownerOf(principal: Principal, context: PrincipalContext): Promise<string | null | undefined> {
  if (principal === 'anonymous') return null
  let parts: unknown
  try {
    parts = await principal(context)
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || parts.length === 0) return undefined
  if (!parts.every((part) => typeof part === 'string' && part !== '')) return undefined
  const owner = JSON.stringify(parts)
  return Buffer.byteLength(owner) <= maxOwnerBytes ? owner : undefined
}

/** The contract's bound on `owner`. */
const maxOwnerBytes = 1024
