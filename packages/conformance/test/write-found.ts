import { writeFileSync } from 'node:fs'
import { finds, hunters } from './hunt.ts'
import { plants } from './planted/index.ts'

// Run as `node --import tsx test/write-found.ts [plant …]` after plants or cases have changed, then format: which cases find which bug.
const wanted = process.argv.slice(2)
const found: Record<string, { law: string; foundBy: string[] }> = {}
for (const plant of plants.filter(({ id }) => wanted.length === 0 || wanted.includes(id))) {
  const finders: { id: string; ms: number }[] = []
  for (const subject of await hunters(plant)) {
    const started = performance.now()
    if (await finds(subject, plant, 1)) finders.push({ id: subject.id, ms: performance.now() - started })
  }
  // The quickest first: the test asks them in this order.
  found[plant.id] = { law: plant.law, foundBy: finders.sort((a, b) => a.ms - b.ms).map(({ id }) => id) }
  if (finders.length === 0) console.log(`not found: ${plant.id}`)
}
const missed = Object.values(found).filter(({ foundBy }) => foundBy.length === 0).length
console.log(`${plants.length} bugs, ${missed} not found`)
if (wanted.length === 0) writeFileSync(new URL('./planted/found.json', import.meta.url), `${JSON.stringify(found, undefined, 2)}\n`)
else console.log(found)
