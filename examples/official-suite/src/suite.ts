import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectedFailures } from './expected-failures.ts'
import { judge } from './judge.ts'
import { modernNode } from './modern-node.ts'
import type { Outcome } from './outcome.ts'
import { type Group, plan } from './plan.ts'
import { type ProgressLine, progressLine } from './progress-line.ts'
import { scoreTable } from './score-table.ts'
import { runSuite, scenariosOf } from './suite-run.ts'
import { startTarget, type Target } from './targets.ts'

/** Problems that are printed; where everything fails nobody reads the rest. */
const shownProblems = 40

const startedAt = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'mcp-session-official-suite-'))
const progress = progressLine(process.stderr)
try {
  progress.say('looking for Node 22 or later')
  const node = await modernNode()
  const scenarios = new Map<string, readonly string[]>()
  for (const revision of plan.revisions) scenarios.set(revision, await scenariosOf(node, revision))
  const outcomes = new Map<Target, readonly Outcome[]>()
  for (const target of plan.targets) outcomes.set(target, await runAll({ target, node, scenarios, folder, progress }))
  report(outcomes, scenarios)
} finally {
  await rm(folder, { recursive: true })
}

interface TargetRun {
  readonly target: Target
  /** Path of the Node that the suite runs on. */
  readonly node: string
  /** By revision. */
  readonly scenarios: ReadonlyMap<string, readonly string[]>
  readonly folder: string
  readonly progress: ProgressLine
}

/** Runs the suite once for each revision that the target is asked for. */
async function runAll({ target, node, scenarios, folder, progress }: TargetRun): Promise<Outcome[]> {
  const { name } = target
  progress.say(`${name}: starting`)
  await using running = await startTarget(target, join(folder, `${name}.db`))
  const outcomes: Outcome[] = []
  for (const revision of plan.revisions) {
    if (!plan.groups.some((group) => group.revision === revision && targetsOf(group).includes(target))) continue
    const title = `${name.padEnd(10)} ${revision}`
    const total = scenarios.get(revision)?.length ?? 0
    const before = running.requests()
    const since = performance.now()
    let begun = 0
    const result = await runSuite({
      node,
      url: running.url,
      revision,
      folder: join(folder, name, revision),
      onScenario: (scenario) => progress.say(`${title}  ${++begun} of ${total}: ${scenario}`),
    })
    const requests = running.requests().map((count, index) => count - (before[index] ?? 0))
    const seconds = ((performance.now() - since) / 1_000).toFixed(1).padStart(5)
    const spread = requests.length === 0 ? '' : `, ${requests.join(' + ')} requests`
    progress.keep(`${title} ${seconds} s  ${result.checks.size} of ${total} scenarios${spread}`)
    outcomes.push({ revision, target: name, ...result, requests })
  }
  return outcomes
}

function report(outcomes: ReadonlyMap<Target, readonly Outcome[]>, scenarios: ReadonlyMap<string, readonly string[]>): void {
  const all = [...outcomes.values()].flat()
  for (const revision of plan.revisions) {
    const shown = all.filter((outcome) => outcome.revision === revision)
    console.log(`\nRevision ${revision}\n${scoreTable(scenarios.get(revision) ?? [], shown)}`)
  }
  const lineups = plan.groups.map(({ revision, stock, one, several, unjudged }) => {
    const of = (target: Target) => outcomeOf(outcomes, target, revision)
    return { revision, scenarios: scenarios.get(revision) ?? [], stock: of(stock), one: of(one), several: several.map(of), unjudged }
  })
  const { problems, passed, failed } = judge(lineups, expectedFailures)
  for (const { revision, scenario, check, reason } of expectedFailures) console.log(`known: ${revision} ${scenario}:${check}: ${reason}`)
  for (const problem of problems.slice(0, shownProblems)) console.log(`✗ ${problem}`)
  if (problems.length > shownProblems) console.log(`✗ … and ${problems.length - shownProblems} more`)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  console.log(`${passed} checks passed, ${failed} failed, ${problems.length} problems, ${seconds} s`)
  if (problems.length > 0) process.exitCode = 1
}

function targetsOf({ stock, one, several }: Group): readonly Target[] {
  return [stock, one, ...several]
}

function outcomeOf(outcomes: ReadonlyMap<Target, readonly Outcome[]>, target: Target, revision: string): Outcome {
  const found = outcomes.get(target)?.find((outcome) => outcome.revision === revision)
  if (found === undefined) throw new Error(`${target.name} was not run for ${revision}`)
  return found
}
