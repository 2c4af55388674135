import { SingleBar } from 'cli-progress'
import { bundle } from '../bundle.ts'
import { engines } from './engines.ts'
import type { Job } from './job.ts'
import { type Rounds, runRounds } from './rounds.ts'
import { stopBySignal } from './stop-by-signal.ts'

/** Measures while a person watches. Ctrl-C ends it, and keeps what is done. */
export async function watchedRounds(jobs: readonly Job[], rounds: number, profiles?: string): Promise<Rounds> {
  const progress = process.stderr.isTTY ? barOf(jobs.length * rounds) : linesOf(jobs.length * rounds)
  const stop = stopBySignal((text) => console.error(text))
  try {
    await using runner = await bundle(new URL('./runner.ts', import.meta.url))
    await using started = engines()
    return await runRounds({ jobs, rounds, script: runner.path, engines: started, profiles, stop, onRun: progress.tell })
  } finally {
    progress.end()
  }
}

interface Progress {
  /** So many are done, and whose turn it is. */
  tell(done: number, next: string): void
  end(): void
}

function barOf(total: number): Progress {
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {value}/{total} {eta_formatted} {next}',
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
  })
  bar.start(total, 0, { next: '' })
  return { tell: (done, next) => bar.update(done, { next }), end: () => bar.stop() }
}

/** Where nothing can be drawn over, as in a log. */
function linesOf(total: number): Progress {
  return { tell: (done, next) => console.error(`${done}/${total} ${next}`), end() {} }
}
