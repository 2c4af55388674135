import { describe, expect, it } from 'vitest'
import { type Harness, NotRun, type Trial } from '../src/harness.ts'
import type { Progress } from '../src/progress.ts'
import { makeRun, type RunOptions } from '../src/run.ts'

interface Seen {
  readonly reported: string[]
  readonly shown: unknown[]
}

async function ran(run: Harness['run'], options: Partial<RunOptions> = {}, notRun?: string) {
  const seen: Seen = { reported: [], shown: [] }
  const progress: Progress = {
    begin(title, total) {
      seen.shown.push([title, total])
      return { update: (done, note) => seen.shown.push([done, note]), end: () => seen.shown.push('end') }
    },
  }
  const harness: Harness = { name: 'h', about: '', backends: ['sqlite'], variants: ['v'], tries: 12, run }
  const planned = { harness, variant: 'v', backend: 'sqlite', ...(notRun === undefined ? {} : { notRun }) }
  const line = await makeRun(planned, { seed: 3, progress, report: (what) => seen.reported.push(what), ...options })
  return { line, ...seen }
}

const drawing = async ({ random, tries }: Trial) => ({ tried: tries, measured: { drawn: random() } })

describe('makeRun', () => {
  it('gives a line with what was tried and measured', async () => {
    const { line, reported } = await ran(drawing)
    expect(JSON.stringify(line)).toMatch(
      /^\{"name":"h","variant":"v","backend":"sqlite","tried":12,"bad":0,"seed":3,"seconds":[\d.]+,"drawn":0\.\d+\}$/,
    )
    expect(reported).toEqual([])
  })

  it('repeats the course of a seed', async () => {
    expect((await ran(drawing)).line['drawn']).toBe((await ran(drawing)).line['drawn'])
    expect((await ran(drawing)).line['drawn']).not.toBe((await ran(drawing, { seed: 4 })).line['drawn'])
  })

  it('counts what is bad, and reports it', async () => {
    const { line, reported } = await ran(async ({ bad }) => {
      bad('one')
      bad('two')
      return { tried: 5 }
    })
    expect(line).toMatchObject({ tried: 5, bad: 2 })
    expect(line).not.toHaveProperty('notRun')
    expect(reported).toEqual(['one', 'two'])
  })

  it('counts a harness that breaks as bad', async () => {
    const { line, reported, shown } = await ran(async () => {
      throw new Error('no port')
    })
    expect(line).toMatchObject({ tried: 0, bad: 1 })
    expect(line).not.toHaveProperty('notRun')
    expect(reported).toEqual([expect.stringContaining('the harness broke: Error: no port')])
    expect(shown.at(-1)).toBe('end')
  })

  it('says what it could not run, and counts it neither as tried nor as bad', async () => {
    const { line, reported } = await ran(async () => {
      throw new NotRun('no redis-server here')
    })
    expect(line).toMatchObject({ tried: 0, bad: 0, notRun: 'no redis-server here' })
    expect(reported).toEqual([])
    expect((await ran(drawing, {}, 'h does not run on redis')).line).toMatchObject({ tried: 0, notRun: 'h does not run on redis' })
  })

  it('does not let a run that tried nothing pass', async () => {
    expect((await ran(async () => ({ tried: 0 }))).line['notRun']).toBe('the budget was used up before the first try')
  })

  it('makes as many tries as it is told to', async () => {
    expect((await ran(drawing, { tries: 2 })).line.tried).toBe(2)
    expect((await ran(drawing, { tries: 2, budget: 100 })).line.tried).toBe(2)
  })

  it('makes as many as a budget holds', async () => {
    const { line, shown } = await ran(
      async ({ isOver, tries }) => {
        let tried = 0
        while (!isOver() && tried < tries) {
          tried += 1
          await new Promise(setImmediate)
        }
        return { tried }
      },
      { budget: 0.05 },
    )
    expect(line.tried).toBeGreaterThan(12)
    expect(line.seconds).toBeLessThan(1)
    expect(shown[0]).toEqual(['h v sqlite', undefined])
  })

  it('shows how far it is', async () => {
    const { shown } = await ran(async ({ progress }) => {
      progress(4, 'busy')
      return { tried: 4 }
    })
    expect(shown).toEqual([['h v sqlite', 12], [4, 'busy'], 'end'])
  })
})
