import type { Emitted } from './emitter.ts'

/** What a client was given of the messages that a session's emitters sent: processes one after the other, or side by side. */
export interface Delivery {
  take(data: unknown): void
  has(message: Emitted): boolean
  /** Every violation of: nothing twice, in the order sent, nothing that nobody sent. */
  readonly violations: readonly string[]
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
    violations,
    get count() {
      return names.size
    },
  }
}

/** Every violation of: all that was acknowledged came, to one reader or another. */
export function missing(acknowledged: readonly Emitted[], ...deliveries: readonly Delivery[]): readonly string[] {
  const absent = acknowledged.filter((message) => !deliveries.some((one) => one.has(message)))
  return absent.map((message) => `message ${nameOf(message)} was acknowledged and did not come`)
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
