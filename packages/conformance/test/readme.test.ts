import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { allCases } from '../src/cases/index.ts'
import { plants } from './planted/index.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const readme = read('README.md')

/** The file as a reader outside the workspace has to write it. */
function outside(path: string): string {
  return read(path).replace('../../../sqlite/src/index.ts', '@mcp-session/sqlite').replace('../../src/index.ts', '@mcp-session/conformance')
}

/** Imports in any order: the formatter sorts them by path. */
function lines(code: string): string[] {
  return code.trim().split('\n').sort()
}

describe('the README', () => {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')

  it('shows the harness and the test file that are type-checked and run here', () => {
    expect(lines(blocks[0] ?? '')).toEqual(lines(outside('test/readme/harness.ts')))
    expect(lines(blocks[1] ?? '')).toEqual(lines(outside('test/readme/conformance.kit.ts').replace('node:test', 'vitest')))
  })

  it('shows a harness of 15 lines at most', () => {
    const body = (blocks[0] ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('import '))
    expect(body.length).toBeLessThanOrEqual(15)
  })

  it('names every group and how many cases there are', () => {
    const groups = new Set(allCases.map(({ id }) => id.slice(0, id.indexOf('/'))))
    for (const group of groups) expect(readme).toContain(`| \`${group}\` |`)
    expect(readme).toContain(`${allCases.length} cases`)
    expect(readme).toContain(`${plants.length} planted bugs`)
  })

  it('gives an example that runs, other processes and kills included', { timeout: 120_000 }, async () => {
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, VITEST: ___, ...env } = process.env
    const child = spawn(process.execPath, ['--import', 'tsx', '--test', '--test-reporter', 'tap', 'test/readme/conformance.kit.ts'], {
      cwd: folder,
      env: { ...env, CONFORMANCE_CASE: 'durability/' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [output, code] = await Promise.all([text(child.stdout), closed])
    expect(code, output).toBe(0)
    expect(Number(/^# pass (\d+)/m.exec(output)?.[1])).toBeGreaterThanOrEqual(4)
    expect(output).toContain('the harness has no crash')
  })
})
