import type { Case } from './case.ts'
import { allCases } from './cases/index.ts'
import type { Harness } from './harness.ts'
import type { Offer } from './requirements.ts'
import { failureMessage, runCase } from './run-case.ts'
import { probe, randomSeed, unknownExpectations } from './run-conformance.ts'

/** `describe` and `it` of the test runner: vitest, node:test, jest and mocha have what is needed. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: (this: unknown, ...context: unknown[]) => Promise<void>, timeoutMs?: number): unknown
}

/**
 * Declares the kit's cases with a test runner: one group each, one test per case. Cases that do not apply to the backend are
 * skipped where the runner can do that while it runs, with what is missing. `CONFORMANCE_SEED` and `CONFORMANCE_CASE` (an id, or
 * how it begins) in the environment repeat a failure.
 */
export function describeBackend(runner: TestRunner, harness: Harness): void {
  const seed = Number(process.env['CONFORMANCE_SEED'] ?? randomSeed())
  const wanted = process.env['CONFORMANCE_CASE'] ?? ''
  let probed: Promise<Offer> | undefined
  const offer = (): Promise<Offer> => {
    probed ??= probe(harness).then((answer) => answer.offer)
    return probed
  }

  runner.describe(`conformance, seed ${seed}`, () => {
    const subjects = allCases.filter((subject) => subject.id.startsWith(wanted))
    if (subjects.length === 0) throw new RangeError(`CONFORMANCE_CASE=${wanted} names no case: give an id, or how it begins`)
    for (const [group, cases] of groups(subjects)) {
      runner.describe(group, () => {
        for (const subject of cases) declare(runner, subject, harness, seed, offer)
      })
    }
    runner.it('expected failures name cases and give reasons', async () => {
      const unknown = unknownExpectations(harness)
      if (unknown.length > 0) throw new Error(unknown.map(({ id, reason }) => `expectedFailures['${id}']: ${reason}`).join('\n'))
    })
  })
}

function declare(runner: TestRunner, subject: Case, harness: Harness, seed: number, offer: () => Promise<Offer>): void {
  const declared = harness.expectedFailures?.[subject.id]
  const title = subject.id.slice(subject.id.indexOf('/') + 1)
  const boundMs = (subject.boundMs ?? 30_000) + 30_000

  runner.it(
    declared === undefined ? title : `${title} (expected to fail: ${declared})`,
    async function (this: unknown, ...context: unknown[]) {
      lift(this)
      const missing = (await offer()).missing(subject)
      if (missing !== undefined) {
        if (declared !== undefined) throw new Error(`expectedFailures['${subject.id}'] is stale: the case does not apply (${missing})`)
        return skip(this, context[0], missing)
      }
      const failure = await runCase(subject, harness, seed)
      if (declared !== undefined) {
        if (failure === undefined) throw new Error(`expectedFailures['${subject.id}'] is stale: the case passes; remove the entry`)
        return
      }
      if (failure !== undefined) throw new Error(failureMessage(failure), { cause: failure.error })
    },
    boundMs,
  )
}

/** The cases by the first part of their ids, in order. */
function groups(cases: readonly Case[]): Map<string, Case[]> {
  const found = new Map<string, Case[]>()
  for (const subject of cases) {
    const group = subject.id.slice(0, subject.id.indexOf('/'))
    found.set(group, [...(found.get(group) ?? []), subject])
  }
  return found
}

/** mocha takes no time limit with a test, but has a method for it on `this`. The kit bounds every case itself. */
function lift(self: unknown): void {
  if (hasMethod(self, 'timeout')) self.timeout(0)
}

/** vitest and node:test skip by their context, mocha by `this`; jest has nothing for it, there the test passes. */
function skip(self: unknown, context: unknown, reason: string): void {
  if (hasMethod(context, 'skip')) context.skip(reason)
  else if (hasMethod(self, 'skip')) self.skip(reason)
}

function hasMethod<K extends string>(value: unknown, name: K): value is Record<K, (argument: unknown) => void> {
  const holder = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return holder && typeof Reflect.get(value, name) === 'function'
}
