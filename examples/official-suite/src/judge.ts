import type { ExpectedFailure } from './expected-failures.ts'
import { type Check, type Outcome, type Verdict, verdicts } from './outcome.ts'

/** Runs that are held against each other: one revision of the specification. */
export interface Lineup {
  readonly revision: string
  /** The scenarios that the suite has for that revision. */
  readonly scenarios: readonly string[]
  /** The same server behind the SDK's own transport. */
  readonly stock: Outcome
  /** Ours, on one node. */
  readonly one: Outcome
  /** Ours, on several nodes behind a load balancer. */
  readonly several: readonly Outcome[]
  /** Checks, as `scenario:check`, that the suite can make of the stock server but not of ours. */
  readonly unjudged: readonly string[]
}

export interface Judgement {
  /** Why the run does not count as passed; empty: it does. */
  readonly problems: readonly string[]
  /** Checks that passed and failed, over all runs, each run once. */
  readonly passed: number
  readonly failed: number
}

/** Judges all runs. Whatever did not happen is a problem: a suite that crashes has not passed. */
export function judge(lineups: readonly Lineup[], expected: readonly ExpectedFailure[]): Judgement {
  const problems = new Set<string>()
  const counts = { passed: 0, failed: 0 }
  const counted = new Set<Outcome>()
  const seen = new Set<ExpectedFailure>()
  if (lineups.length === 0) problems.add('nothing ran')
  for (const lineup of lineups) {
    for (const outcome of [lineup.stock, lineup.one, ...lineup.several]) {
      if (counted.has(outcome)) continue
      counted.add(outcome)
      for (const problem of incomplete(outcome, lineup)) problems.add(problem)
      for (const { name, scenario, check, verdict } of judged(outcome)) {
        counts[verdict] += 1
        if (verdict === 'passed') continue
        const entry = expected.find((known) => known.revision === outcome.revision && known.scenario === scenario && known.check === check)
        if (entry === undefined) problems.add(`${title(outcome)}: ${name} failed${because(outcome, scenario, check)}`)
        else seen.add(entry)
      }
    }
    for (const problem of compared(lineup)) problems.add(problem)
  }
  for (const entry of expected) {
    const name = `${entry.revision} ${entry.scenario}:${entry.check}`
    if (!seen.has(entry)) problems.add(`the expected failure ${name} did not happen: take it off the list`)
    if (entry.reason.trim() === '') problems.add(`the expected failure ${name} has no reason`)
  }
  return { problems: [...problems], ...counts }
}

/** What a run lacks to count at all. */
function incomplete(outcome: Outcome, { revision, scenarios, several }: Lineup): string[] {
  const problems: string[] = []
  const found = judged(outcome)
  if (outcome.revision !== revision) problems.push(`${title(outcome)}: belongs to another revision than ${revision}`)
  if (scenarios.length === 0) problems.push(`${title(outcome)}: the suite has no scenarios`)
  if (found.length === 0) problems.push(`${title(outcome)}: no checks ran`)
  for (const scenario of scenarios) {
    if ((outcome.checks.get(scenario) ?? []).length === 0) problems.push(`${title(outcome)}: ${scenario} did not run`)
  }
  if (outcome.exitCode !== 0 && !found.some(({ verdict }) => verdict === 'failed')) {
    problems.push(`${title(outcome)}: the suite ended with ${outcome.exitCode ?? 'a signal'} though no check failed`)
  }
  if (several.includes(outcome) && (outcome.requests.length < 2 || outcome.requests.some((count) => count === 0))) {
    problems.push(`${title(outcome)}: the requests were not spread over the nodes, but ${outcome.requests.join(' and ') || 'not counted'}`)
  }
  return problems
}

function compared({ stock, one, several, unjudged }: Lineup): string[] {
  const problems: string[] = []
  const known = byName(stock)
  const single = byName(one)
  for (const ours of [one, ...several]) {
    const here = byName(ours)
    for (const name of new Set([...known.keys(), ...here.keys()])) {
      const [theirs, verdict] = [known.get(name), here.get(name)]
      const isWorse = verdict === 'failed' ? theirs !== 'failed' : verdict === undefined && theirs === 'passed' && !unjudged.includes(name)
      if (isWorse) problems.push(`${title(ours)}: ${name} ${said(verdict)}, but ${said(theirs)} with ${stock.target}`)
    }
  }
  for (const many of several) {
    const here = byName(many)
    for (const name of new Set([...single.keys(), ...here.keys()])) {
      const [alone, together] = [single.get(name), here.get(name)]
      if (alone !== together) problems.push(`${title(many)}: ${name} ${said(together)}, but ${said(alone)} with ${one.target}`)
    }
  }
  return problems
}

function said(verdict: Verdict | undefined): string {
  return verdict ?? 'not judged'
}

interface JudgedCheck {
  /** Scenario and check. */
  readonly name: string
  readonly scenario: string
  readonly check: string
  readonly verdict: Verdict
}

function judged({ checks }: Outcome): JudgedCheck[] {
  return [...checks].flatMap(([scenario, list]) =>
    [...verdicts(list)].map(([check, verdict]) => ({ name: `${scenario}:${check}`, scenario, check, verdict })),
  )
}

function byName(outcome: Outcome): ReadonlyMap<string, Verdict> {
  return new Map(judged(outcome).map(({ name, verdict }) => [name, verdict]))
}

function title({ revision, target }: Outcome): string {
  return `${revision}, ${target}`
}

function because({ checks }: Outcome, scenario: string, id: string): string {
  const isIt = (check: Check) => check.id === id && check.errorMessage !== undefined
  const message = checks.get(scenario)?.find(isIt)?.errorMessage
  return message === undefined ? '' : `: ${message}`
}
