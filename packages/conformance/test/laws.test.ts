import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lawsOf } from '../src/case.ts'
import { allCases } from '../src/cases/index.ts'
import { laws } from '../src/laws.ts'
import { storeLaws } from '../src/store-laws.ts'
import { lawsModule, lawsOfTheContract } from './laws-of-the-contract.ts'

const contract = lawsOfTheContract().map(([id]) => id)
const cited = new Set<string>(allCases.flatMap(lawsOf))

describe('the laws', () => {
  it('are word for word those of the contract (else run test/write-laws.ts)', () => {
    expect(readFileSync(new URL('../src/laws.ts', import.meta.url), 'utf8')).toBe(lawsModule())
    expect(contract.length).toBeGreaterThan(40)
  })

  it('are each cited by a case', () => {
    expect([...contract, ...Object.keys(storeLaws)].filter((law) => !cited.has(law))).toEqual([])
  })

  it('are what every case cites', () => {
    const known = new Set([...contract, ...Object.keys(storeLaws)])
    expect(allCases.filter((subject) => lawsOf(subject).length === 0)).toEqual([])
    expect([...cited].filter((law) => !known.has(law))).toEqual([])
    expect(Object.keys(laws)).toEqual(contract)
  })
})

describe('the cases', () => {
  it('have ids of their own, by group and in words', () => {
    const ids = allCases.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[a-z]+\/[a-z0-9-]+$/)
  })
})
