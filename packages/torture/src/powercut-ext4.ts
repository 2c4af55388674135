import { join } from 'node:path'
import { diskLedger } from './disk-ledger.ts'
import { type DiskPlace, diskBackendAt } from './disk-places.ts'
import { sweptId } from './disk-steps.ts'
import { ext4Image } from './ext4-image.ts'
import { spread } from './figures.ts'
import type { Outcome, Trial } from './harness.ts'
import { beginNextBoot } from './next-boot.ts'
import { stopProcess } from './stop-process.ts'
import { buildScript, startWriter } from './writer-process.ts'

const ids: readonly string[] = [...Array.from({ length: 7 }, (_, n) => `s_${n}`), sweptId]
/** Lines of a writer before the cut: two for each write. */
const longestLife = 600

/** What the writers do wrong; the store is always opened again as it should be. */
export interface Ext4Bugs {
  /** See `disk-plants.ts`. */
  readonly plant?: string | undefined
  readonly durable?: boolean | undefined
}

/** Writers on one file system, whose device is cut off under them again and again. */
export async function cutExt4(trial: Trial, bugs: Ext4Bugs): Promise<Outcome> {
  await using disk = await ext4Image()
  await using script = await buildScript(new URL('./disk-writer.ts', import.meta.url))
  const honest: DiskPlace = { backend: trial.backend, folder: disk.path }
  const ledger = diskLedger(ids)
  const cutTimes: number[] = []
  let tried = 0
  while (tried < trial.tries && !trial.isOver()) {
    const place = JSON.stringify({ ...honest, ...bugs } satisfies DiskPlace)
    const args = [`--place=${place}`, `--ids=${ids}`, `--seed=${trial.seed + tried}`, `--name=${tried}`]
    ledger.begin()
    const writer = startWriter(process.execPath, [script.path, ...args])
    try {
      await writer.lines(trial.random() < 0.05 ? 0 : 1 + Math.floor(trial.random() * longestLife))
      const since = performance.now()
      const { pid, exitCode, signalCode } = writer.child
      if (pid !== undefined && exitCode === null && signalCode === null) await stopProcess(pid)
      await disk.cutPower(async () => {
        writer.child.kill('SIGKILL')
        const { signal, stderr } = await writer.ended
        if (signal !== 'SIGKILL') trial.bad(`cut ${tried + 1}: the writer ended by itself: ${stderr.slice(0, 500)}`)
      })
      await beginNextBoot(join(disk.path, 'store'))
      cutTimes.push(performance.now() - since)
    } finally {
      writer.child.kill('SIGKILL')
      await writer.ended
    }
    ledger.hear(await writer.told)
    tried += 1
    const backend = diskBackendAt(honest)
    try {
      await backend.open()
      for (const what of await ledger.judge(backend)) trial.bad(`cut ${tried}: ${what}`)
    } catch (error) {
      trial.bad(`cut ${tried}: the store does not open: ${error}`)
      break
    } finally {
      await backend.close()
    }
    trial.progress(tried, `${ledger.acknowledged} acknowledged`)
  }
  return { tried, measured: { acknowledged: ledger.acknowledged, ...spread('cutMs', cutTimes) } }
}
