import { diskLedger } from './disk-ledger.ts'
import { type DiskPlace, diskBackendAt, diskBackends, diskFolder } from './disk-places.ts'
import { sweptId } from './disk-steps.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { buildScript, startWriter } from './writer-process.ts'

const ids: readonly string[] = [...Array.from({ length: 15 }, (_, n) => `s_${n}`), sweptId]
/** Lines of a writer before it is killed: two for each write. */
const longestLife = 1_600

/** Writers that are killed. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function kill9(plant?: string): Harness {
  return {
    name: 'kill9',
    about: [
      'A process writes to one store, 16 sessions at once, tells of each write before and after it, and is killed at any moment. Reopened, each session',
      'is as it was acknowledged last, or as the write under way would leave it; nothing else is ever lost or there. Tries are kills.',
    ].join('\n  '),
    backends: diskBackends,
    variants: ['any-moment'],
    tries: 300,
    async run(trial) {
      await using folder = await diskFolder()
      await using script = await buildScript(new URL('./disk-writer.ts', import.meta.url))
      return await killAll(trial, { backend: trial.backend, folder: folder.path, plant }, script.path)
    },
  }
}

async function killAll(trial: Trial, place: DiskPlace, script: string): Promise<Outcome> {
  const ledger = diskLedger(ids)
  const { plant: _, ...honest } = place
  let tried = 0
  let killedEarly = 0
  while (tried < trial.tries && !trial.isOver()) {
    const args = [`--place=${JSON.stringify(place)}`, `--ids=${ids}`, `--seed=${trial.seed + tried}`, `--name=${tried}`]
    ledger.begin()
    const writer = startWriter(process.execPath, [script, ...args])
    // A few are killed while they open the store, the others after any number of writes.
    await writer.lines(trial.random() < 0.05 ? 0 : 1 + Math.floor(trial.random() * longestLife))
    writer.child.kill('SIGKILL')
    const { signal, stderr } = await writer.ended
    ledger.hear(await writer.told)
    if (signal !== 'SIGKILL') trial.bad(`kill ${tried + 1}: the writer ended by itself: ${stderr.slice(0, 500)}`)
    if (!ledger.opened) killedEarly += 1
    tried += 1
    const backend = diskBackendAt(honest)
    try {
      await backend.open()
      for (const what of await ledger.judge(backend)) trial.bad(`kill ${tried}: ${what}`)
    } catch (error) {
      trial.bad(`kill ${tried}: the store does not open: ${error}`)
      break
    } finally {
      await backend.close()
    }
    trial.progress(tried, `${ledger.acknowledged} acknowledged`)
  }
  return { tried, measured: { acknowledged: ledger.acknowledged, killedEarly } }
}
