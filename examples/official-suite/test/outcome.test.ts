import { describe, expect, it } from 'vitest'
import { score, verdicts } from '../src/outcome.ts'
import { scoreTable } from '../src/score-table.ts'
import { recorded } from './recording.ts'

describe('verdicts', () => {
  it.each([
    [['SUCCESS', 'SUCCESS'], 'passed'],
    [['SUCCESS', 'FAILURE'], 'failed'],
    [['FAILURE', 'SUCCESS'], 'failed'],
    [['SUCCESS', 'WARNING'], 'failed'],
    [['INFO', 'SUCCESS'], 'passed'],
    [['SUCCESS', 'INFO'], 'passed'],
    [['INFO', 'SKIPPED'], undefined],
  ] as const)('makes of %j of one check %s', (statuses, verdict) => {
    expect(verdicts(statuses.map((status) => ({ id: 'one', status }))).get('one')).toBe(verdict)
  })
})

describe('score', () => {
  it('counts warnings as failed, and what is neither as nothing', () => {
    const checks = (['SUCCESS', 'SUCCESS', 'FAILURE', 'WARNING', 'INFO', 'SKIPPED'] as const).map((status) => ({ id: 'same', status }))
    expect(score(checks)).toEqual({ passed: 2, failed: 2 })
  })
})

describe('scoreTable', () => {
  it('shows passed and failed checks by scenario and target, and what did not run', () => {
    const ours = recorded('ours', { 'ping:ping': 'FAILURE' })
    const lines = scoreTable(['ping', 'pong'], [recorded('stock'), ours]).split('\n')
    expect(
      lines.map((line) =>
        line
          .replaceAll(/[│┌┐└┘─┬┴]+/g, ' ')
          .trim()
          .split(/ +/),
      ),
    ).toEqual([[''], ['passed/failed', 'stock', 'ours'], ['ping', '2/0', '1/1'], ['pong', '–', '–'], ['total', '84/0', '83/1'], ['']])
  })
})
