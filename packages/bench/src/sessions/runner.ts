import { contestantNamed } from './contestants.ts'
import { runJob } from './run-job.ts'
import type { Assignment, Report } from './runner-protocol.ts'

/** The process that measures one contestant once: told what by its argument, it answers by one message. */
const { job, place }: Assignment = JSON.parse(process.argv[2] ?? '')

process.send?.({ started: true })
try {
  tell({ result: await measured() })
} catch (error) {
  tell({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}

async function measured() {
  const contestant = contestantNamed(job.contestant)
  if (contestant === undefined) throw new RangeError(`There is no contestant ${job.contestant}`)
  const store = await contestant.open(place)
  try {
    return await runJob(store, job)
  } finally {
    await store.close()
  }
}

function tell(report: Report): void {
  // Whatever a peer leaves open must not keep the next one waiting.
  process.send?.(report, () => process.exit())
}
