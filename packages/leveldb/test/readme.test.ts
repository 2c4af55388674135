import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('shows the examples that are run here, and they print what their comments say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-leveldb-'))
  const before = process.cwd()
  onTestFinished(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })
  process.chdir(folder)
  const log = vi.spyOn(console, 'log').mockReturnValue()
  for (const example of ['usage', 'usage-borrowed']) {
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(`./${example}.ts`, import.meta.url), 'utf8')}\`\`\``)
  }
  await import('./usage.ts')
  await import('./usage-borrowed.ts')
  expect(log.mock.calls).toEqual([[{ user: 'alice', counter: 1 }], [{ user: 'bob' }]])
})
