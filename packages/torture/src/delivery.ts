import type { Emitted } from './emitter.ts'

/** What a client was given of the messages that a session's emitters sent: processes one after the other, or side by side. */
export interface Delivery {
  take(data: unknown): void
  has(message: Emitted): boolean
  /** Every violation of: all that was acknowledged, nothing twice, in the order sent. */
  judge(acknowledged: readonly Emitted[]): readonly string[]
  /** Different messages. */
  readonly count: number
}

/** `inTurn`: no process sends anything after a later one has. */
export function delivery({ inTurn }: { readonly inTurn: boolean }): Delivery {
  const names = new Set<string>()
  const violations: string[] = []
  const newest = new Map<number | undefined, Emitted>()

  return {
    take(data) {
      if (!isEmitted(data)) {
        violations.push(`a message came that nobody sent: ${JSON.stringify(data)}`)
        return
      }
      const name = nameOf(data)
      const row = inTurn ? undefined : data.incarnation
      const before = newest.get(row)
      if (names.has(name)) violations.push(`message ${name} came twice`)
      else if (before !== undefined && isBefore(data, before)) violations.push(`message ${name} came after ${nameOf(before)}`)
      names.add(name)
      newest.set(row, data)
    },
    has: (message) => names.has(nameOf(message)),
    judge(acknowledged) {
      const missing = acknowledged.filter((message) => !names.has(nameOf(message)))
      return [...violations, ...missing.map((message) => `message ${nameOf(message)} was acknowledged and did not come`)]
    },
    get count() {
      return names.size
    },
  }
}

function isBefore(one: Emitted, other: Emitted): boolean {
  return one.incarnation === other.incarnation ? one.n < other.n : one.incarnation < other.incarnation
}

/** `<incarnation>/<number>`. */
function nameOf({ incarnation, n }: Emitted): string {
  return `${incarnation}/${n}`
}

function isEmitted(data: unknown): data is Emitted {
  return typeof data === 'object' && data !== null && 'incarnation' in data && 'n' in data
}
