import { expect, it } from 'vitest'
import { plan } from '../src/plan.ts'

it('runs what it holds against each other, and nothing else', () => {
  const compared = plan.groups.flatMap(({ stock, one, several }) => [stock, one, ...several])
  expect(new Set(compared)).toEqual(new Set(plan.targets))
  expect(new Set(plan.targets.map(({ name }) => name)).size).toBe(plan.targets.length)
})

it('holds, for each revision and major, one node and two against the stock server', () => {
  for (const revision of plan.revisions) {
    for (const sdk of ['v1', 'v2']) {
      const groups = plan.groups.filter((group) => group.revision === revision && group.stock.name === `stock ${sdk}`)
      expect(groups.length).toBeGreaterThan(0)
      for (const { stock, one, several } of groups) {
        expect([stock.stock, stock.nodes, one.nodes]).toEqual([true, [sdk], [sdk]])
        expect([one, ...several].some((target) => target.stock === true || target.answers !== one.answers)).toBe(false)
        expect(several.map(({ nodes }) => nodes)).toContainEqual(['v1', 'v2'])
      }
    }
  }
})
