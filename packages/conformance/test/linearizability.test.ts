import { describe, expect, it } from 'vitest'
import { isLinearizable } from '../src/linearizability.ts'
import { checkRecordHistory, describeHistory, type RecordOperation } from '../src/record-history.ts'
import { type Flaw, simulatedHistory } from './simulated-store.ts'

describe('checkRecordHistory', () => {
  const rejected = (flaw: Flaw): number =>
    Array.from({ length: 300 }, (_, seed) => checkRecordHistory(simulatedHistory(seed, flaw))).filter(
      (violation) => violation !== undefined,
    ).length

  it('accepts all of 300 histories of a correct store, lost replies included', () => {
    expect(rejected('none')).toBe(0)
  })

  // Lower bounds, well below what is measured: a flaw does not show in every history.
  it.each([
    ['stale-read', 60],
    ['resurrect', 60],
    ['check-then-set', 60],
    ['lost-write', 60],
    ['two-winners', 60],
  ] as const)('rejects histories of a store with the flaw %s', (flaw, atLeast) => {
    expect(rejected(flaw)).toBeGreaterThan(atLeast)
  })

  it('gives a violation with few calls, and they alone are a violation', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const violation = checkRecordHistory(simulatedHistory(seed, 'check-then-set'))
      if (violation === undefined) continue
      expect(violation.operations.length).toBeLessThan(40)
      expect(describeHistory(violation.operations)).toContain('client')
      if (violation.reason.startsWith('no order')) expect(checkRecordHistory(violation.operations)).toBeDefined()
    }
  })

  it('judges ids apart', () => {
    const one = simulatedHistory(1, 'none')
    const other = simulatedHistory(2, 'none').map((op) => ({ ...op, id: 's_y' }))
    expect(checkRecordHistory([...one, ...other])).toBeUndefined()
  })

  it('lets a call without a reply take effect late or never', () => {
    const create: RecordOperation = { ...at(0, 1), call: { method: 'create', rev: 'a' }, known: false, answer: { done: false } }
    const absent: RecordOperation = { ...at(2, 3), call: { method: 'get' }, answer: { done: false } }
    const there: RecordOperation = { ...at(4, 5), call: { method: 'get' }, answer: { done: true, rev: 'a' } }
    expect(checkRecordHistory([create, absent, there])).toBeUndefined()
    expect(checkRecordHistory([create, absent])).toBeUndefined()
    expect(checkRecordHistory([create, there, { ...absent, ...at(6, 7) }])?.reason).toContain('no order')
  })

  it('takes a rev that nobody wrote, or two wins over one rev, for a violation at once', () => {
    const ghost: RecordOperation = { ...at(0, 1), call: { method: 'get' }, answer: { done: true, rev: 'ghost' } }
    expect(checkRecordHistory([ghost])?.reason).toContain('nobody wrote it')
    const wins = ['b', 'c'].map(
      (rev): RecordOperation => ({ ...at(2, 9), call: { method: 'replace', rev, expectedRev: 'a' }, answer: { done: true } }),
    )
    const create: RecordOperation = { ...at(0, 1), call: { method: 'create', rev: 'a' }, answer: { done: true } }
    expect(checkRecordHistory([create, ...wins])?.reason).toContain('replaced twice')
  })
})

describe('isLinearizable', () => {
  it('explains any history of a specification that it is given', () => {
    type Op = { start: number; end: number; known: boolean; add: number; sum: number }
    const adder = {
      initial: 0,
      step: (state: number, op: Op) => (state + op.add === op.sum ? op.sum : undefined),
      key: String,
    }
    const op = (start: number, end: number, add: number, sum: number): Op => ({ start, end, known: true, add, sum })
    expect(isLinearizable(adder, [op(0, 9, 1, 3), op(1, 8, 2, 2)])).toBe(true)
    expect(isLinearizable(adder, [op(0, 1, 1, 3), op(2, 3, 2, 2)])).toBe(false)
  })
})

function at(start: number, end: number): { id: string; client: number; start: number; end: number; known: boolean } {
  return { id: 's_x', client: 1, start, end, known: true }
}
