import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type DiskPlace, diskBackendAt } from './disk-places.ts'
import { readState } from './disk-states.ts'
import { diskStep } from './disk-steps.ts'
import { seededRandom } from './random.ts'

// A process that writes to a store until it is killed, or its steps are done. It tells on descriptor 3, in synchronous writes:
// what survives it there was true. See `disk-ledger.ts` for the lines.

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { place: text, ids: text, steps: text, seed: text, name: text, reopens: text } })
const place: DiskPlace = JSON.parse(values.place ?? '')
const ids: readonly string[] = (values.ids ?? '').split(',')
const steps = Number(values.steps ?? Number.POSITIVE_INFINITY)
const reopens = Number(values.reopens ?? 0)

for (let opened = 0; opened <= reopens; opened += 1) {
  const backend = diskBackendAt(place)
  await backend.open()
  tell({ opened })
  const each = Math.floor(steps / ids.length / (reopens + 1))
  await Promise.all(ids.map((id, lane) => write(backend, id, lane + opened * ids.length, each)))
  await backend.close()
}
tell({ done: true })

async function write(backend: ReturnType<typeof diskBackendAt>, id: string, lane: number, count: number): Promise<void> {
  const random = seededRandom(Number(values.seed) + lane)
  let now = await readState(backend, id)
  for (let n = 0; n < count; n += 1) {
    const step = diskStep(id, now, `${values.name}.${lane}.${n}`, random)
    tell({ begins: id, next: step.next })
    await step.run(backend)
    tell({ done: id })
    now = step.next
  }
}

function tell(line: object): void {
  writeSync(3, `${JSON.stringify(line)}\n`)
}
