import { parseArgs } from 'node:util'
import { createClaims, Refuted } from './claims.ts'
import type { Major } from './connect.ts'
import { type Plant, plants } from './plants.ts'
import { createScreen } from './screen.ts'
import { tellStory } from './story.ts'

// `--sdk v1|v2|both`. `--plant` is for the test: a fault that must turn the verdict.
const { values } = parseArgs({ options: { sdk: { type: 'string', default: 'v2' }, plant: { type: 'string' } } })
const majors = majorsOf(values.sdk)
const plant = plantOf(values.plant)
const colours = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined

for (const sdk of majors) {
  const screen = createScreen({ print: (line) => console.log(line), colours, now: () => performance.now() })
  try {
    await tellStory({ sdk, plant, claims: createClaims(), screen })
  } catch (error) {
    process.exitCode = 1
    screen.verdict(false, error instanceof Refuted ? error.message : String(error instanceof Error ? error.stack : error))
  }
}

function majorsOf(sdk: string): readonly Major[] {
  if (sdk === 'both') return ['v1', 'v2']
  if (sdk === 'v1' || sdk === 'v2') return [sdk]
  throw new RangeError(`--sdk is v1, v2 or both, not ${sdk}`)
}

function plantOf(name: string | undefined): Plant | undefined {
  const plant = plants.find((known) => known === name)
  if (name !== undefined && plant === undefined) throw new RangeError(`--plant is ${plants.join(', ')}, not ${name}`)
  return plant
}
