import type { ProgramContestant } from './contestant.ts'
import { contestantNamed } from './contestants.ts'
import type { JobResult, MeasuredCell } from './job.ts'
import { NotHere } from './not-here.ts'
import { measureOpening } from './opening.ts'
import { profiled } from './profile.ts'
import { runJob } from './run-job.ts'
import type { Assignment, Report } from './runner-protocol.ts'

/** The process that measures one contestant once: told what by its argument, it answers by one message. */
const { job, place, profile }: Assignment = JSON.parse(process.argv[2] ?? '')

process.send?.({ started: true })
try {
  tell({ result: profile === undefined ? await measured() : await profiled(profile, measured) })
} catch (error) {
  if (error instanceof NotHere) tell({ error: error.message, isHere: false })
  else tell({ error: error instanceof Error ? (error.stack ?? error.message) : String(error), isHere: true })
}

async function measured(): Promise<JobResult> {
  const contestant = contestantNamed(job.contestant)
  if (contestant === undefined) throw new RangeError(`There is no contestant ${job.contestant}`)
  if ('measure' in contestant) return { cells: await measuredByProgram(contestant) }
  if (job.load.kind === 'opening') return measureOpening(contestant, place, job.sessions)
  const store = await contestant.open(place)
  try {
    return await runJob(store, job)
  } finally {
    await store.close()
  }
}

async function measuredByProgram({ measure, name }: ProgramContestant): Promise<MeasuredCell[]> {
  const { load, seconds } = job
  if (load.kind !== 'closed') throw new NotHere(`${name} knows no such load`)
  const cells: MeasuredCell[] = []
  for (const cell of load.cells) cells.push({ ...cell, ...(await measure(place, cell, seconds)) })
  return cells
}

function tell(report: Report): void {
  // Whatever a peer leaves open must not keep the next one waiting.
  process.send?.(report, () => process.exit())
}
