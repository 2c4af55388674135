import { mkdirSync, readFileSync } from 'node:fs'
import { expect, it, onTestFinished, vi } from 'vitest'
import { newPath } from './fixtures.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('shows the example that is run here, and it prints what its comment says', async () => {
  const folder = newPath()
  mkdirSync(folder)
  const before = process.cwd()
  onTestFinished(() => process.chdir(before))
  process.chdir(folder)
  const log = vi.spyOn(console, 'log').mockReturnValue()
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL('./usage.ts', import.meta.url), 'utf8')}\`\`\``)
  await import('./usage.ts')
  expect(log.mock.calls).toEqual([[{ user: 'alice', counter: 1 }]])
})
