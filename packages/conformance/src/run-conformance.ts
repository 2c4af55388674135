import { randomInt } from 'node:crypto'
import type { BackendInfo } from '@mcp-session/core/backend'
import type { Case } from './case.ts'
import { allCases } from './cases/index.ts'
import type { Harness } from './harness.ts'
import { type Offer, offerOf } from './requirements.ts'
import { type Failure, runCase } from './run-case.ts'

export interface RunOptions {
  /** Repeats a run; default: a random one. */
  readonly seed?: number
  /** Which cases run; default: all. */
  readonly only?: (subject: Case) => boolean
  /** Called as each case ends. */
  readonly onCase?: (id: string, failure: Failure | undefined) => void
}

/** What became of every case. */
export interface Report {
  readonly backend: BackendInfo
  readonly seed: number
  readonly passed: readonly string[]
  readonly failed: readonly Failure[]
  /** Cases that do not apply to this backend, with what is missing. */
  readonly notApplicable: readonly { readonly id: string; readonly reason: string }[]
  /** Declared failures that did fail, with the declared reason. */
  readonly expected: readonly { readonly id: string; readonly reason: string }[]
  /** Entries of `expectedFailures` that passed, do not apply or name no case. They fail the run. */
  readonly stale: readonly { readonly id: string; readonly reason: string }[]
  /** True if nothing failed unexpectedly and no expectation is stale. */
  readonly ok: boolean
  readonly durationMs: number
}

/** Runs the kit without a test runner, one case after the other. */
export async function runConformance(harness: Harness, options: RunOptions = {}): Promise<Report> {
  const started = performance.now()
  const seed = options.seed ?? randomSeed()
  const { info, offer } = await probe(harness)
  const passed: string[] = []
  const failed: Failure[] = []
  const notApplicable: { id: string; reason: string }[] = []
  const expected: { id: string; reason: string }[] = []
  const stale = unknownExpectations(harness)

  for (const subject of allCases.filter(options.only ?? (() => true))) {
    const declared = harness.expectedFailures?.[subject.id]
    const missing = offer.missing(subject)
    if (missing !== undefined) {
      notApplicable.push({ id: subject.id, reason: missing })
      if (declared !== undefined) stale.push({ id: subject.id, reason: `does not apply: ${missing}` })
      continue
    }
    const failure = await runCase(subject, harness, seed)
    options.onCase?.(subject.id, failure)
    if (declared !== undefined && failure !== undefined) expected.push({ id: subject.id, reason: declared })
    else if (declared !== undefined) stale.push({ id: subject.id, reason: 'passes' })
    else if (failure !== undefined) failed.push(failure)
    else passed.push(subject.id)
  }

  const ok = failed.length === 0 && stale.length === 0
  return { backend: info, seed, passed, failed, notApplicable, expected, stale, ok, durationMs: performance.now() - started }
}

/** What the backend says of itself, from a store that is opened for this question. */
export async function probe(harness: Harness): Promise<{ readonly info: BackendInfo; readonly offer: Offer }> {
  const { backend, place = '' } = await harness.open()
  await backend.open()
  try {
    return { info: { ...backend.info }, offer: await offerOf(backend, harness) }
  } finally {
    await backend.close()
    await harness.remove?.(place)
  }
}

export function randomSeed(): number {
  return randomInt(2 ** 31)
}

/** Declared failures that name no case, or give no reason. */
export function unknownExpectations(harness: Harness): { id: string; reason: string }[] {
  return Object.entries(harness.expectedFailures ?? {}).flatMap(([id, reason]) => {
    if (!allCases.some((subject) => subject.id === id)) return [{ id, reason: 'no case has this id' }]
    return reason.trim() === '' ? [{ id, reason: 'the reason is empty' }] : []
  })
}
