import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lawsOf } from '../src/case.ts'
import { allCases } from '../src/cases/index.ts'
import { laws } from '../src/laws.ts'
import { runConformance } from '../src/run-conformance.ts'
import { finds } from './hunt.ts'
import { plants } from './planted/index.ts'
import { simulatedEngine } from './simulated-engine.ts'

// Which cases found which bug, as test/write-found.ts wrote it down.
const found: Record<string, { law: string; foundBy: string[] }> = JSON.parse(
  readFileSync(new URL('./planted/found.json', import.meta.url), 'utf8'),
)

describe('the planted bugs', () => {
  it('are 60 at least, each of its own, and break every law', () => {
    expect(plants.length).toBeGreaterThanOrEqual(60)
    expect(new Set(plants.map(({ id }) => id)).size).toBe(plants.length)
    const broken = new Set<string>(plants.map(({ law }) => law))
    expect(Object.keys(laws).filter((law) => !broken.has(law))).toEqual([])
  })

  it('are found, 95 of 100 at least, by cases that cite the broken law', () => {
    expect(Object.keys(found).sort()).toEqual(plants.map(({ id }) => id).sort())
    const missed = plants.filter(({ id }) => found[id]?.foundBy.length === 0)
    expect(missed.length / plants.length, `not found: ${missed.map(({ id }) => id)}`).toBeLessThanOrEqual(0.05)
    for (const { id, law } of plants) {
      for (const finder of found[id]?.foundBy ?? []) {
        const subject = allCases.find((candidate) => candidate.id === finder)
        expect(subject === undefined ? [] : lawsOf(subject), `${finder}, which found ${id}`).toContain(law)
      }
    }
  })

  it('are the only thing wrong with the engine that they are planted in', { timeout: 60_000 }, async () => {
    const report = await runConformance(simulatedEngine())
    expect(report.failed).toEqual([])
    expect(report.passed.length).toBeGreaterThan(190)
  })
})

describe('a case finds the bug', () => {
  const known = plants.filter(({ id }) => (found[id]?.foundBy.length ?? 0) > 0)
  it.each(known.map((plant) => [plant.id, plant] as const))('%s', { timeout: 30_000 }, async (id, plant) => {
    for (const finder of found[id]?.foundBy.slice(0, 5) ?? []) {
      const subject = allCases.find((candidate) => candidate.id === finder)
      if (subject !== undefined && (await finds(subject, plant, 2))) return
    }
    expect.fail(`none of ${found[id]?.foundBy.slice(0, 5)} finds it any more`)
  })
})
