import { writevSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type DiskPlace, diskBackendAt } from './disk-places.ts'
import { refusalOf, runFaulted } from './faulted-course.ts'

// A process that writes to a store below which calls fail, and goes on. It tells on descriptor 3, in one call of the system that
// nothing else makes, so that strace sees in which order a sync failed and a write was acknowledged. See `disk-ledger.ts` for the lines.

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { place: text, ids: text, steps: text, seed: text } })
const place: DiskPlace = JSON.parse(values.place ?? '')
const ids: readonly string[] = (values.ids ?? '').split(',')
const steps = Number(values.steps)
/** A disk that fails for ever never lets it open. */
const openings = 3

for (const name of ['first', 'second']) {
  const backend = diskBackendAt(place)
  let isOpen = false
  for (let n = 0; n < openings && !isOpen; n += 1) isOpen = await opens(backend)
  if (isOpen) await runFaulted(backend, { ids, steps, seed: Number(values.seed), name }, tell)
  await backend.close().catch((error: unknown) => tell({ closing: refusalOf(backend, error) }))
}
tell({ done: true })

async function opens(backend: ReturnType<typeof diskBackendAt>): Promise<boolean> {
  try {
    await backend.open()
    return true
  } catch (error) {
    tell({ opening: refusalOf(backend, error) })
    return false
  }
}

function tell(line: object): void {
  // One buffer would be an ordinary write.
  writevSync(3, [Buffer.from(JSON.stringify(line)), Buffer.from('\n')])
}
