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
 * principal must stay the same when the token is refreshed. Anything else, or a throw, is answered with 401; an array of something else, and a throw, are told to `onError` as well.
 */
export type PrincipalFunction = (
  context: PrincipalContext,
) => readonly unknown[] | null | undefined | false | Promise<readonly unknown[] | null | undefined | false>

export type Principal = 'anonymous' | PrincipalFunction

/** The owner text under which sessions of this principal are stored. `null`: anonymous; `undefined`: nobody, so 401. */
export async function ownerOf(
  principal: Principal,
  context: PrincipalContext,
  onError: (error: unknown) => void,
): Promise<string | null | undefined> {
  if (principal === 'anonymous') return null
  let parts: unknown
  try {
    parts = await principal(context)
  } catch (error) {
    onError(error)
    return undefined
  }
  if (!Array.isArray(parts)) return undefined
  const problem = problemOf(parts)
  if (problem === undefined) return JSON.stringify(parts)
  onError(new TypeError(`principal must return non-empty texts, such as issuer, subject and client: ${problem}. The answer is 401`))
  return undefined
}

/** A caller who is somebody, but whom the function cannot name: a mistake in it, or in what the token verifier gives. */
function problemOf(parts: readonly unknown[]): string | undefined {
  if (parts.length === 0) return 'the array is empty'
  const index = parts.findIndex((part) => typeof part !== 'string' || part === '')
  if (index >= 0) return `element ${index} is ${parts[index] === '' ? 'empty' : typeof parts[index]}`
  return Buffer.byteLength(JSON.stringify(parts)) > maxOwnerBytes ? `more than ${maxOwnerBytes} bytes` : undefined
}

/** The contract's bound on `owner`. */
const maxOwnerBytes = 1024
