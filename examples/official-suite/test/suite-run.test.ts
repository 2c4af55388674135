import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runSuite, scenariosOf } from '../src/suite-run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-session-suite-run-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = (node: string, results = 'results', onScenario: (name: string) => void = () => {}) =>
  runSuite({ node, url: 'http://127.0.0.1:9/mcp', revision: '2025-11-25', folder: join(folder, results), onScenario })

it('gives no checks and the exit code of a suite that crashes', async () => {
  expect(await run('false')).toEqual({ checks: new Map(), exitCode: 1 })
})

it('does not take silence for a list of scenarios', async () => {
  await expect(scenariosOf('false', '2025-11-25')).rejects.toThrow('The suite does not list its scenarios: it ended with 1')
})

it('rejects where there is no such Node', async () => {
  const missing = join(folder, 'no-such-node')
  await expect(run(missing)).rejects.toThrow('ENOENT')
  await expect(scenariosOf(missing, '2025-11-25')).rejects.toThrow('ENOENT')
})

it('reads what the suite wrote: checks of the scenarios that ended, none of one that crashed', async () => {
  // Stands for Node and the suite: it writes what the suite writes, and where.
  const stand = join(folder, 'stand-in.sh')
  const lines = [
    '#!/bin/sh',
    'while [ "$1" != --output-dir ]; do shift; done',
    'at="-2026-11-24T15-02-34-146Z"',
    'echo "=== Running scenario: ping ==="',
    'mkdir -p "$2/server-ping$at" "$2/server-tools-list$at"',
    `echo '[{ "id": "ping", "status": "FAILURE", "errorMessage": "no", "name": "Ping" }]' > "$2/server-ping$at/checks.json"`,
    'echo "=== Running scenario: tools-list ==="',
    'kill -9 $$',
  ]
  await writeFile(stand, lines.join('\n'))
  await chmod(stand, 0o755)
  const begun: string[] = []
  expect(await run(stand, 'stand-in', (name) => begun.push(name))).toEqual({
    checks: new Map([
      ['ping', [{ id: 'ping', status: 'FAILURE', errorMessage: 'no' }]],
      ['tools-list', []],
    ]),
    exitCode: null,
  })
  expect(begun).toEqual(['ping', 'tools-list'])
})
