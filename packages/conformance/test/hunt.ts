import type { Case } from '../src/case.ts'
import { lawsOf } from '../src/case.ts'
import { allCases } from '../src/cases/index.ts'
import { offerOf } from '../src/requirements.ts'
import { runCase } from '../src/run-case.ts'
import type { Plant } from './planted/plant.ts'
import { simulatedEngine } from './simulated-engine.ts'

/** Cases that cite the broken law and run on the simulated engine, the quickest to understand first: those with the fewest laws. */
export async function hunters(plant: Plant): Promise<readonly Case[]> {
  const harness = simulatedEngine()
  const { backend } = await harness.open()
  await backend.open()
  const offer = await offerOf(backend, harness)
  await backend.close()
  return allCases
    .filter((subject) => lawsOf(subject).includes(plant.law) && offer.missing(subject) === undefined)
    .sort((a, b) => lawsOf(a).length - lawsOf(b).length)
}

/** Whether the case fails on the plant; with little patience, since a bug may make it wait for ever. */
export async function finds(subject: Case, plant: Plant, seed: number): Promise<boolean> {
  const failure = await runCase(
    { ...subject, boundMs: 3_000 },
    simulatedEngine((backend, engine) => plant.plant(backend, engine)),
    seed,
  )
  return failure !== undefined
}
