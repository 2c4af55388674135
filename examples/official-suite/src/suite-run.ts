import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Check, Outcome } from './outcome.ts'

const script = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
/** Of one run; it takes some three seconds. */
const limitMs = 120_000

const checksSchema = z.array(
  z.object({
    id: z.string(),
    status: z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'INFO', 'SKIPPED']),
    errorMessage: z.string().optional(),
  }),
)

/** The names of the scenarios that the suite has for a revision of the specification. Rejects where it does not say. */
export async function scenariosOf(node: string, revision: string): Promise<string[]> {
  const names: string[] = []
  const exitCode = await suite(node, ['list', '--server', '--spec-version', revision], (line) => {
    const [, name] = /^ {2}- (\S+)/.exec(line) ?? []
    if (name !== undefined) names.push(name)
  })
  if (exitCode !== 0) throw new Error(`The suite does not list its scenarios: it ended with ${exitCode ?? 'a signal'}`)
  return names
}

export interface SuiteRun {
  /** Path of the Node that the suite runs on. */
  readonly node: string
  readonly url: string
  readonly revision: string
  /** Where nothing is yet, and nothing else writes to. */
  readonly folder: string
  readonly onScenario: (name: string) => void
}

/** Runs all scenarios of a revision against a server. Rejects where there is no such Node; else what happens is in the result. */
export async function runSuite({ node, url, revision, folder, onScenario }: SuiteRun): Promise<Pick<Outcome, 'checks' | 'exitCode'>> {
  const args = ['server', '--url', url, '--suite', 'all', '--spec-version', revision, '--output-dir', folder]
  const exitCode = await suite(node, args, (line) => {
    const [, name] = /^=== Running scenario: (\S+) ===$/.exec(line) ?? []
    if (name !== undefined) onScenario(name)
  })
  return { checks: await checksIn(folder), exitCode }
}

/** The suite as a process of its own; its exit code, or `null` where a signal ended it. */
async function suite(node: string, args: readonly string[], onLine: (line: string) => void): Promise<number | null> {
  const child = spawn(node, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout }).on('line', onLine)
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs)
  try {
    const [exitCode] = await once(child, 'close')
    return typeof exitCode === 'number' ? exitCode : null
  } finally {
    clearTimeout(limit)
  }
}

/** The suite writes `server-<scenario>-<time>/checks.json`; the file is missing where a scenario crashed. */
async function checksIn(folder: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  const found = new Map<string, readonly Check[]>()
  for (const name of await readdir(folder).catch(() => [])) {
    const [, scenario] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? []
    const written = await readFile(join(folder, name, 'checks.json'), 'utf8').catch(() => '[]')
    if (scenario !== undefined) found.set(scenario, checksSchema.parse(JSON.parse(written)))
  }
  return found
}
