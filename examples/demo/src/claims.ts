import { inspect, isDeepStrictEqual } from 'node:util'

/** What the demo asserts. The first claim that does not hold ends the run. */
export interface Claims {
  /** How many held so far. */
  readonly held: number
  holds(claim: string, actual: unknown, expected: unknown): void
}

/** A claim that did not hold; its message names it. */
export class Refuted extends Error {
  override readonly name = 'Refuted'
}

export function createClaims(): Claims {
  let held = 0
  return {
    get held() {
      return held
    },
    holds(claim, actual, expected) {
      if (!isDeepStrictEqual(actual, expected)) throw new Refuted(`${claim}: expected ${told(expected)}, got ${told(actual)}`)
      held++
    },
  }
}

/** One line, whatever it is. */
function told(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
