import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args])
}

test('the default benchmark measures in turns, round by round, and writes every figure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-bench-test-'))
  try {
    const json = join(folder, 'figures.json')
    const short = ['--sessions', '50', '--seconds', '0.005', '--rounds', '2', '--in-flight', '1,4', '--op', 'mixed', '--quick']
    const { stdout } = await bench('--backend', 'sqlite', ...short, '--json', json)
    const { machine, runs, failures, complete } = JSON.parse(await readFile(json, 'utf8'))
    const names = ['sqlite', 'sqlite relaxed']
    expect(runs.map(({ round, job }: { round: number; job: { contestant: string } }) => `${round} ${job.contestant}`)).toEqual(
      [0, 1].flatMap((round) => names.map((name) => `${round} ${name}`)),
    )
    for (const { result } of runs) {
      expect(result.sessions).toBe(50)
      expect(result.cells.map(({ op, inFlight }: { op: string; inFlight: number }) => `${op} ${inFlight}`)).toEqual(['mixed 1', 'mixed 4'])
    }
    expect({ failures, complete }).toEqual({ failures: [], complete: 2 })
    expect(machine).toMatchObject({ node: process.versions.node, versions: { 'connect-redis': '10.0.0' } })
    for (const name of names) expect(stdout).toContain(`│ ${name}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)

test('what is no backend, operation or number is refused with exit code 1, before anything is measured', async () => {
  await expect(bench('--backend', 'tape')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('tape is none of memory') })
  await expect(bench('--op', 'fly')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('fly is none of retrieve') })
  await expect(bench('--in-flight', '0')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('above 0') })
}, 60_000)
