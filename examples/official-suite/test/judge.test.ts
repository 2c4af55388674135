import { describe, expect, it } from 'vitest'
import type { ExpectedFailure } from '../src/expected-failures.ts'
import { judge, type Lineup } from '../src/judge.ts'
import type { Outcome } from '../src/outcome.ts'
import { type Changes, recorded, revision, scenarios } from './recording.ts'

const spread = { requests: [86, 86] }
const ping = 'ping:ping'

function lineup(given: Partial<Lineup> = {}): Lineup {
  return {
    revision,
    scenarios,
    stock: recorded('stock'),
    one: recorded('one'),
    several: [recorded('two', {}, spread)],
    unjudged: [],
    ...given,
  }
}

/** All targets with the same changes. */
function everywhere(changes: Changes): Lineup {
  const ended = { exitCode: 1 }
  const several = [recorded('two', changes, { ...ended, ...spread })]
  return lineup({ stock: recorded('stock', changes, ended), one: recorded('one', changes, ended), several })
}

function expectedFailure(name: string, reason = 'known upstream'): ExpectedFailure {
  const [scenario = '', check = ''] = name.split(':')
  return { revision, scenario, check, reason }
}

const crashed: Partial<Outcome> = { checks: new Map(), exitCode: 1 }

describe('the judge', () => {
  it('finds no problem where all targets have the same score, and counts every run', () => {
    expect(judge([lineup()], [])).toEqual({ problems: [], passed: 3 * 84, failed: 0 })
  })

  it('counts a run once that is held against two others', () => {
    const two = recorded('two', {}, spread)
    expect(judge([lineup({ several: [two] }), lineup({ several: [two] })], [])).toEqual({ problems: [], passed: 5 * 84, failed: 0 })
  })

  it('takes a failure that is expected and that the stock server has as well', () => {
    expect(judge([everywhere({ [ping]: 'FAILURE' })], [expectedFailure(ping)])).toEqual({ problems: [], passed: 3 * 83, failed: 3 })
  })

  it.each(['FAILURE', 'WARNING'] as const)('refuses a %s that is not expected, though the stock server has it too', (status) => {
    expect(judge([everywhere({ [ping]: status })], []).problems).toEqual([
      '2025-11-25, stock: ping:ping failed',
      '2025-11-25, one: ping:ping failed',
      '2025-11-25, two: ping:ping failed',
    ])
  })

  it('says why a check failed', () => {
    const one = recorded('one', {}, { exitCode: 1 })
    const checks = new Map(one.checks).set('ping', [{ id: 'ping', status: 'FAILURE', errorMessage: 'Expected {}' }])
    expect(judge([lineup({ one: { ...one, checks } })], []).problems).toContain('2025-11-25, one: ping:ping failed: Expected {}')
  })

  it('refuses an expected failure of one revision in another one', () => {
    const entry = { ...expectedFailure(ping), revision: '2025-06-18' }
    expect(judge([everywhere({ [ping]: 'FAILURE' })], [entry]).problems).toHaveLength(4)
  })

  it('refuses an expected failure that did not happen', () => {
    expect(judge([lineup()], [expectedFailure(ping)]).problems).toEqual([
      'the expected failure 2025-11-25 ping:ping did not happen: take it off the list',
    ])
  })

  it('refuses an expected failure without a reason', () => {
    expect(judge([everywhere({ [ping]: 'FAILURE' })], [expectedFailure(ping, ' ')]).problems).toEqual([
      'the expected failure 2025-11-25 ping:ping has no reason',
    ])
  })

  it.each([
    ['passes', 'SUCCESS', 'passed'],
    ['does not judge', 'INFO', 'not judged'],
    ['does not reach', 'gone', 'not judged'],
  ] as const)('refuses a failure of ours, expected or not, where the stock server %s the check', (_how, status, said) => {
    const ours = everywhere({ [ping]: 'FAILURE' })
    const problems = judge([{ ...ours, stock: recorded('stock', { [ping]: status }) }], [expectedFailure(ping)]).problems
    expect(problems).toEqual([
      `2025-11-25, one: ping:ping failed, but ${said} with stock`,
      `2025-11-25, two: ping:ping failed, but ${said} with stock`,
    ])
  })

  it('refuses that ours gets around a check that the stock server passes, unless the check is not for ours', () => {
    const changes = { [ping]: 'INFO' } as const
    const around = lineup({ one: recorded('one', changes), several: [recorded('two', changes, spread)] })
    expect(judge([around], []).problems).toEqual([
      '2025-11-25, one: ping:ping not judged, but passed with stock',
      '2025-11-25, two: ping:ping not judged, but passed with stock',
    ])
    expect(judge([{ ...around, unjudged: ['ping:wire-schema-valid'] }], []).problems).toHaveLength(2)
    expect(judge([{ ...around, unjudged: [ping] }], []).problems).toEqual([])
  })

  it('refuses a failure of a check that is not for ours', () => {
    const one = recorded('one', { [ping]: 'FAILURE' }, { exitCode: 1 })
    expect(judge([lineup({ one, several: [], unjudged: [ping] })], []).problems).toEqual([
      '2025-11-25, one: ping:ping failed',
      '2025-11-25, one: ping:ping failed, but passed with stock',
    ])
  })

  it('lets ours be better than the stock server', () => {
    const stock = recorded('stock', { [ping]: 'FAILURE' }, { exitCode: 1 })
    expect(judge([lineup({ stock })], [expectedFailure(ping)]).problems).toEqual([])
  })

  it.each([
    ['fails', 'passed', 'FAILURE', 'SUCCESS'],
    ['passes', 'failed', 'SUCCESS', 'FAILURE'],
    ['no longer judges', 'passed', 'INFO', 'SUCCESS'],
    ['no longer reaches', 'passed', 'gone', 'SUCCESS'],
    ['judges', 'not judged', 'SUCCESS', 'INFO'],
  ] as const)('refuses that two nodes %s what one has %s', (_how, alone, together, single) => {
    const stock = recorded('stock', { [ping]: 'FAILURE' }, { exitCode: 1 })
    const one = recorded('one', { [ping]: single }, { exitCode: single === 'FAILURE' ? 1 : 0 })
    const several = [recorded('two', { [ping]: together }, { exitCode: together === 'FAILURE' ? 1 : 0, ...spread })]
    const { problems } = judge([lineup({ stock, one, several })], [expectedFailure(ping)])
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(new RegExp(`^2025-11-25, two: ping:ping .+, but ${alone} with one$`))
  })

  it('looks at every cluster, not only at the first one', () => {
    const several = [recorded('two', {}, spread), recorded('mixed', { [ping]: 'gone' }, spread)]
    expect(judge([lineup({ several, unjudged: [ping] })], []).problems).toEqual([
      '2025-11-25, mixed: ping:ping not judged, but passed with one',
    ])
  })

  it('does not take nothing for a pass', () => {
    expect(judge([], []).problems).toEqual(['nothing ran'])
  })

  it('does not take a suite that crashes everywhere for a pass', () => {
    const { problems } = judge([lineup({ stock: recorded('stock', {}, crashed), one: recorded('one', {}, crashed), several: [] })], [])
    expect(problems).toContain('2025-11-25, stock: no checks ran')
    expect(problems).toContain('2025-11-25, one: no checks ran')
    expect(problems).toContain('2025-11-25, one: the suite ended with 1 though no check failed')
    expect(problems).toContain('2025-11-25, one: server-initialize did not run')
  })

  it('does not take a suite without scenarios for a pass', () => {
    const none = { checks: new Map() }
    const empty = { scenarios: [], stock: recorded('stock', {}, none), one: recorded('one', {}, none), several: [] }
    expect(judge([lineup(empty)], []).problems).toContain('2025-11-25, one: the suite has no scenarios')
    expect(judge([lineup({ scenarios: [] })], []).problems).toContain('2025-11-25, one: the suite has no scenarios')
  })

  it('refuses that a scenario did not run, everywhere as it may be', () => {
    const changes = { [ping]: 'gone', 'ping:wire-schema-valid': 'gone' } as const
    const lost = lineup({ stock: recorded('stock', changes), one: recorded('one', changes), several: [recorded('two', changes, spread)] })
    expect(judge([lost], []).problems).toEqual([
      '2025-11-25, stock: ping did not run',
      '2025-11-25, one: ping did not run',
      '2025-11-25, two: ping did not run',
    ])
  })

  it('refuses a suite that was killed, or ended with an error, after its last check', () => {
    expect(judge([lineup({ one: recorded('one', {}, { exitCode: null }) })], []).problems).toEqual([
      '2025-11-25, one: the suite ended with a signal though no check failed',
    ])
    expect(judge([lineup({ stock: recorded('stock', {}, { exitCode: 2 }) })], []).problems).toEqual([
      '2025-11-25, stock: the suite ended with 2 though no check failed',
    ])
  })

  it.each([
    ['of which one got no request', [172, 0], '172 and 0'],
    ['that are one', [172], '172'],
    ['whose requests nobody counted', [], 'not counted'],
  ])('refuses two nodes %s', (_what, requests, said) => {
    expect(judge([lineup({ several: [recorded('two', {}, { requests })] })], []).problems).toEqual([
      `2025-11-25, two: the requests were not spread over the nodes, but ${said}`,
    ])
  })

  it('refuses an outcome of another revision', () => {
    expect(judge([lineup({ one: recorded('one', {}, { revision: '2025-06-18' }) })], []).problems).toContain(
      '2025-06-18, one: belongs to another revision than 2025-11-25',
    )
  })
})
