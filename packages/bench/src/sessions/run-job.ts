import { measureCleaning } from './cleaning.ts'
import { closedLoop, type Measured } from './closed-loop.ts'
import type { Job, JobResult, MeasuredCell } from './job.ts'
import { withMemoryUse } from './memory-use.ts'
import { openLoop } from './open-loop.ts'
import type { Cell } from './ops.ts'
import { type Population, populate, removeAdded } from './population.ts'
import { type Random, seeded } from './random.ts'
import { withRecordsOf } from './record-size.ts'
import { type Step, stepOf } from './steps.ts'
import type { Store } from './store.ts'

/** Where calls are faster than this, not each of them is timed. */
const timedPerSecond = 100_000

/**
 * Fills the store, measures, and counts what is there at the end: a store that has lost sessions, or made some up, was not
 * measured at what it is for. The store stays open.
 */
export async function runJob(given: Store, job: Job): Promise<JobResult> {
  const store = job.recordBytes === undefined ? given : withRecordsOf(given, job.recordBytes)
  const random = seeded(job.seed)
  const { result: population, ...memory } = await withMemoryUse(job.sessions, () => populate(store, job.sessions))
  const measured = await measure(store, population, random, job)
  await checkSize(store, population)
  return { ...measured, ...memory, sessions: population.size() }
}

async function measure(store: Store, population: Population, random: Random, job: Job): Promise<JobResult> {
  const { load, seconds, warmUpSeconds } = job
  const mixed = stepOf('mixed', store, population, random)
  switch (load.kind) {
    case 'closed':
      return { cells: await measureCells(store, population, random, { ...job, load }) }
    case 'rate':
      await openLoop(mixed, { perSecond: load.perSecond, seconds: warmUpSeconds })
      return { rate: await openLoop(mixed, { perSecond: load.perSecond, seconds }) }
    case 'cleaning':
      return { cleaning: await measureCleaning(store, mixed, { ...load, seconds, warmUpSeconds }) }
    case 'opening':
      throw new TypeError('A store that is open already cannot be measured opening')
  }
}

type ClosedJob = Job & { readonly load: { readonly kind: 'closed' } }

async function measureCells(store: Store, population: Population, random: Random, job: ClosedJob): Promise<MeasuredCell[]> {
  const cells: MeasuredCell[] = []
  for (const cell of job.load.cells) {
    // What creating left over is there to be deleted; before anything else it goes, unmeasured.
    if (cell.op !== 'delete') await removeAdded(store, population)
    const step = stepOf(cell.op, store, population, random)
    cells.push({ ...cell, ...(await measureCell(step, cell, population, { ...job, macrotask: job.load.macrotask })) })
  }
  await removeAdded(store, population)
  return cells
}

interface Measuring extends Pick<Job, 'seconds' | 'warmUpSeconds'> {
  readonly macrotask: boolean
}

async function measureCell(
  step: Step,
  { op, inFlight }: Cell,
  population: Population,
  { seconds, warmUpSeconds, macrotask }: Measuring,
): Promise<Measured> {
  const loop = { inFlight, macrotask }
  if (op === 'delete' && population.added() === 0) {
    await closedLoop(() => population.add(), { ...loop, seconds: seconds + warmUpSeconds, timeOneIn: 1 })
  }
  // Deleting uses up what there is: its warm-up takes a part, not all.
  const warmUp = op === 'delete' ? limited(step, population.added() / 4) : step
  const warm = await closedLoop(warmUp, { ...loop, seconds: warmUpSeconds, leastCalls: 5_000, timeOneIn: 1 })
  const timeOneIn = Math.max(1, Math.round((warm?.opsPerSecond ?? 0) / timedPerSecond))
  const measured = await closedLoop(step, { ...loop, seconds, timeOneIn })
  if (measured === undefined) throw new Error(`Nothing was left to ${op} with ${inFlight} in flight: measure for longer`)
  return measured
}

function limited(step: Step, times: number): Step {
  let left = times
  return () => {
    left -= 1
    return left < 0 ? undefined : step()
  }
}

async function checkSize(store: Store, population: Population): Promise<void> {
  const found = await store.count()
  if (found !== population.size()) throw new Error(`The store holds ${found} sessions at the end; ${population.size()} must be there`)
}
