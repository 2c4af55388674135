import { describe, expect, it } from 'vitest'
import { memoryBackend } from '../../memory/src/index.ts'
import { alteredBackend } from '../src/altered-backend.ts'
import type { Case } from '../src/case.ts'
import { failureMessage, runCase } from '../src/run-case.ts'
import { runConformance } from '../src/run-conformance.ts'
import { plants } from './planted/index.ts'
import { simulatedEngine } from './simulated-engine.ts'

const memory = { open: () => ({ backend: memoryBackend() }) }
const inGroup = (group: string) => (subject: Case) => subject.id.startsWith(group)

function planted(id: string) {
  const plant = plants.find((candidate) => candidate.id === id)
  if (plant === undefined) throw new Error(`no plant ${id}`)
  return simulatedEngine((backend, engine) => plant.plant(backend, engine))
}

describe('runConformance', () => {
  it('passes memory, and says what does not apply and why', async () => {
    const report = await runConformance(memory)
    expect(report.failed).toEqual([])
    expect(report.ok).toBe(true)
    expect(report.backend.name).toBe('memory')
    expect(report.passed.length).toBeGreaterThan(150)
    const reasons = new Map(report.notApplicable.map(({ id, reason }) => [id, reason]))
    expect(reasons.get('durability/acknowledged-writes-survive-kill')).toContain('secondProcess')
    expect(reasons.get('list/cursors-work-on-another-node')).toContain('only one')
  })

  it('runs no event or signal case on a backend without them', async () => {
    const bare = { open: () => ({ backend: withoutFacets() }) }
    const report = await runConformance(bare)
    expect(report.failed).toEqual([])
    expect(report.passed.filter((id) => id.startsWith('events/') || id.startsWith('signals/'))).toEqual([])
  })

  it('counts a declared failure that fails as expected', async () => {
    const harness = { ...planted('touch/goes-back'), expectedFailures: { 'touch/never-goes-back': 'the engine cannot compare' } }
    const report = await runConformance(harness, { only: (subject) => subject.id === 'touch/never-goes-back' })
    expect(report.expected).toEqual([{ id: 'touch/never-goes-back', reason: 'the engine cannot compare' }])
    expect(report.ok).toBe(true)
  })

  it.each([
    ['passes', { 'touch/never-goes-back': 'it once failed' }],
    ['names no case', { 'touch/no-such-case': 'a typing error' }],
    ['does not apply', { 'durability/acknowledged-writes-survive-kill': 'slow' }],
    ['has no reason', { 'touch/never-goes-back': ' ' }],
  ])('fails when a declared failure %s', async (_, expectedFailures) => {
    const report = await runConformance({ ...memory, expectedFailures }, { only: (subject) => subject.id in expectedFailures })
    expect(report.stale.length).toBeGreaterThan(0)
    expect(report.ok).toBe(false)
  })

  it('fails a case that never settles, and goes on', async () => {
    const harness = { open: () => ({ backend: alteredBackend(memoryBackend(), { replace: () => new Promise<never>(() => {}) }) }) }
    const subject = {
      id: 'x/x',
      law: 'replace/compare-and-set',
      boundMs: 50,
      run: async (t) => void (await t.replace(t.record(), 'r')),
    } satisfies Case
    const failure = await runCase(subject, harness, 1)
    expect(failureMessage(failure ?? expect.fail('it has to fail'))).toContain('not settled')
  })

  it('fails a harness that cannot open, with the reason', async () => {
    const refusing = { open: () => Promise.reject(new Error('no engine here')) }
    await expect(runConformance(refusing)).rejects.toThrow('no engine here')
  })
})

describe('a seed', () => {
  // One found by a model and shortened, one by many clients, one by a single example.
  it.each([
    ['expiry/get-still-reads-at-the-deadline', 'model/records-one-call-after-the-other'],
    ['atomic/replace-deletes-and-creates', 'linearizability/interleavings-that-shrink'],
    ['delete/ignores-the-rev', 'delete/wrong-rev-changes-nothing'],
  ])('repeats the failure of %s, word for word, also when the case runs alone', { timeout: 60_000 }, async (bug, id) => {
    const group = id.slice(0, id.indexOf('/') + 1)
    const among = await runConformance(planted(bug), { seed: 4711, only: inGroup(group) })
    const alone = await runConformance(planted(bug), { seed: 4711, only: (subject) => subject.id === id })
    const [one, two] = [among, alone].map((report) => report.failed.find((failure) => failure.id === id))
    if (one === undefined || two === undefined) throw new Error(`${id} does not find ${bug}`)
    expect(timeless(failureMessage(two))).toBe(timeless(failureMessage(one)))
    expect(failureMessage(one)).toContain('CONFORMANCE_SEED=4711')
  })

  it('of a model-based case is printed with a short list of commands', async () => {
    const report = await runConformance(planted('expiry/get-still-reads-at-the-deadline'), { seed: 1, only: inGroup('model/records') })
    const message = failureMessage(report.failed[0] ?? expect.fail('it has to fail'))
    const commands = /Counterexample: \[(.*?)\]/.exec(message)?.[1]?.split('),') ?? []
    expect(commands.length).toBeLessThanOrEqual(4)
    expect(message).toContain('create(')
  })
})

/** Without the times that calls took: they are measured. */
function timeless(message: string): string {
  return message.replace(/\d+\.\d{3}–(\d+\.\d{3}|\?)/g, 'from–to')
}

function withoutFacets() {
  const { events: _, signals: __, ...records } = memoryBackend()
  return records
}
