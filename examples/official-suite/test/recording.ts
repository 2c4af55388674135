import { readFileSync } from 'node:fs'
import type { Check, Outcome, Status } from '../src/outcome.ts'

export const revision = '2025-11-25'

const statuses: readonly Status[] = ['SUCCESS', 'FAILURE', 'WARNING', 'INFO', 'SKIPPED']

/** What the suite said of the SDK's own server: a line for each check, in the order of the scenarios' names. */
const lines = readFileSync(new URL('recorded-checks.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')

/** Changes one recorded check: its new status, or `'gone'`. */
export type Changes = Readonly<Record<string, Status | 'gone'>>

/** The recorded outcome as if of this target; `changes` by `scenario:check`. */
export function recorded(target: string, changes: Changes = {}, rest: Partial<Outcome> = {}): Outcome {
  const checks = new Map<string, Check[]>()
  const unknown = new Set(Object.keys(changes))
  for (const line of lines) {
    const [scenario = '', id = '', given = ''] = line.split(' ')
    const name = `${scenario}:${id}`
    unknown.delete(name)
    const status = changes[name] ?? statuses.find((known) => known === given)
    if (status === undefined) throw new Error(`What is ${line}?`)
    const list = checks.get(scenario) ?? []
    checks.set(scenario, list)
    if (status !== 'gone') list.push({ id, status })
  }
  if (unknown.size > 0) throw new Error(`There is no recorded check ${[...unknown].join()}`)
  return { revision, target, checks, exitCode: 0, requests: [], ...rest }
}

export const scenarios: readonly string[] = [...recorded('any').checks.keys()]
