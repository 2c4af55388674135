import { readFile } from 'node:fs/promises'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => {
  vi.restoreAllMocks()
})

it('shows the example that is run here, and it prints what its comments say', async () => {
  const [readme, usage] = await Promise.all(['../README.md', './usage.ts'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')))
  expect(readme).toContain(`\`\`\`ts\n${usage}\`\`\``)
  const log = vi.spyOn(console, 'log').mockReturnValue()
  await import('./usage.ts')
  expect(log.mock.calls).toEqual([[{ user: 'alice', counter: 1 }], [0]])
})
