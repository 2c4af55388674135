import { readdirSync } from 'node:fs'
import { root } from './workspace.mjs'

const visible = [
  'LICENSE',
  'README.md',
  'examples',
  'package.json',
  'packages',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'tsconfig.base.json',
  'turbo.json',
]

/** The top level shows what a newcomer needs and nothing else; configuration hides behind a dot. */
export function topLevelProblems() {
  const found = readdirSync(root).filter((name) => !name.startsWith('.') && name !== 'node_modules')
  const extra = found.filter((name) => !visible.includes(name)).map((name) => `${name} does not belong here`)
  const missing = visible.filter((name) => !found.includes(name)).map((name) => `${name} is missing`)
  return [...extra, ...missing]
}
