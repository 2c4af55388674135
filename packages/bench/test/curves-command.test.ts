import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contestantsOf } from '../src/sessions/curve-tables.ts'
import { readFigures } from '../src/sessions/figures-file.ts'
import { bench } from './bench.ts'

test('curves have all their points, and become charts beside the results of other runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-bench-test-'))
  try {
    const json = join(folder, 'curves.json')
    await bench('curves', '--backend', 'memory', '--quick', '--seconds', '0.005', '--json', json)
    const { curves = [], runs, failures } = await readFigures(json)
    expect(failures).toEqual([])
    expect(curves.map(({ name, op }) => [name, op])).toEqual([
      ['in-flight', 'retrieve'],
      ['in-flight', 'update'],
      ['in-flight', 'mixed'],
      ['sessions', 'retrieve'],
      ['sessions', 'mixed'],
      ['record-size', 'retrieve'],
      ['record-size', 'update'],
      ['expired', undefined],
      ['live', undefined],
    ])
    for (const curve of curves) {
      const [memory] = contestantsOf(curve, runs)
      expect(memory).toMatchObject({ who: 'memory', points: curve.points.map(({ at }) => ({ at })) })
      expect(memory?.points.every(({ value }) => value.median > 0)).toBe(true)
    }

    const { stdout } = await bench('results', json, '--into', folder)
    expect(stdout).toContain(folder)
    const text = await readFile(join(folder, 'RESULTS.md'), 'utf8')
    const charts = await readdir(join(folder, 'charts'))
    expect(charts.length).toBe(curves.length)
    for (const name of charts) expect(text).toContain(`(charts/${name})`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)

test('results are not made of what no run has written', async () => {
  const manifest = new URL('../package.json', import.meta.url).pathname
  await expect(bench('results', manifest)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('holds no figures') })
}, 60_000)
