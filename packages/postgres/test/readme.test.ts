import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished, vi } from 'vitest'
import { namesIn } from '../src/names.ts'
import { tableStatements } from '../src/table-statements.ts'
import { engineOfFile, sql } from './fixtures.ts'

const server = engineOfFile()
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('shows the examples that are run here, and they print what their comments say', async () => {
  const { url } = server
  const before = process.env['DATABASE_URL']
  process.env['DATABASE_URL'] = url
  onTestFinished(async () => {
    if (before === undefined) delete process.env['DATABASE_URL']
    else process.env['DATABASE_URL'] = before
    await sql(url, 'DROP SCHEMA IF EXISTS visits CASCADE')
    await sql(url, 'DROP SCHEMA IF EXISTS app_sessions CASCADE')
  })
  const log = vi.spyOn(console, 'log').mockReturnValue()
  for (const example of ['usage', 'usage-borrowed']) {
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(`./${example}.ts`, import.meta.url), 'utf8')}\`\`\``)
  }
  await import('./usage.ts')
  await import('./usage-borrowed.ts')
  expect(log.mock.calls).toEqual([[{ user: 'alice', counter: 1 }], [{ found: 1 }]])
})

it('shows the tables as they are made', () => {
  const statements = tableStatements(namesIn('mcp_session'), false)
  expect(readme).toContain(`\`\`\`sql\n${statements.map((statement) => `${statement};`).join('\n')}\n\`\`\``)
})
