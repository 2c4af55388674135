import { crashpoints } from '/work/main/packages/torture/src/crashpoints.ts'
import { kill9 } from '/work/main/packages/torture/src/kill9.ts'
import { tryHarness } from '/work/main/packages/torture/test/trial.ts'

const [, , what, plant, tries, backend = 'file'] = process.argv
const h =
  what === 'kill9' ? kill9(plant || undefined) : crashpoints({ plant: plant || undefined, ...(plant ? { steps: 20, at: ['write'] } : {}) })
const t = Date.now()
const r = await tryHarness(h, { backend, tries: Number(tries) })
console.log(JSON.stringify({ ...r, bad: r.bad.length, first: r.bad.slice(0, 3) }).slice(0, 1500), Date.now() - t)
