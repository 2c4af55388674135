import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bench, benchStoppedAfter } from './bench.ts'

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

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a run at once and keeps what is done',
  async (signal) => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-session-bench-test-'))
    try {
      const json = join(folder, 'figures.json')
      const endless = ['--sessions', '50', '--seconds', '0.005', '--rounds', '100000', '--in-flight', '1', '--op', 'mixed']
      const { stdout, code } = await benchStoppedAfter(3, signal, '--backend', 'memory', ...endless, '--json', json, '--write', folder)
      const { runs, failures, complete } = JSON.parse(await readFile(json, 'utf8'))
      expect(code).toBe(0)
      expect(runs.length).toBeGreaterThanOrEqual(3)
      expect({ failures, complete }).toEqual({ failures: [], complete: runs.length })
      expect(stdout).toContain(`Medians of ${complete} rounds of 100000 (stopped)`)
      expect(stdout).toContain('│ memory')
      expect(await readFile(join(folder, 'RESULTS.md'), 'utf8')).toContain('| memory |')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
  60_000,
)

test('what is no backend, operation or number is refused with exit code 1, before anything is measured', async () => {
  await expect(bench('--backend', 'tape')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('tape is none of memory') })
  await expect(bench('--op', 'fly')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('fly is none of retrieve') })
  await expect(bench('--in-flight', '0')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('above 0') })
}, 60_000)
