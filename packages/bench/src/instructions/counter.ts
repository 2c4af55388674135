import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Counts the instructions of a process of Node from its start to its end. */
export interface Counter {
  readonly name: 'perf' | 'cachegrind'
  /** Rejects where the process fails: what it did until then is no count. */
  count(script: string, args: readonly string[]): Promise<number>
}

/** What compiles, collects or hashes at another moment in each run would be counted as well. */
const sameEachTime = ['--single-threaded', '--predictable', '--hash-seed=1', '--random-seed=1']

const perf: Counter = {
  name: 'perf',
  async count(script, args) {
    const command = ['stat', '-x', ',', '-e', 'instructions:u', '--', process.execPath, ...sameEachTime, script, ...args]
    return counted(/^(\d+),[^,]*,instructions:u/m, await outputOf('perf', command))
  },
}

/** Callgrind without its call graph: the same count in two thirds of the time. */
const cachegrind: Counter = {
  name: 'cachegrind',
  async count(script, args) {
    // V8 writes the code that it runs: valgrind must look for changes in it.
    const options = ['--tool=cachegrind', '--cache-sim=no', '--cachegrind-out-file=/dev/null', '--smc-check=all-non-file']
    const command = [...options, process.execPath, ...sameEachTime, script, ...args]
    return counted(/I\s+refs:\s+([\d,]+)/, await outputOf('valgrind', command))
  },
}

/** The processor's own counter where it may be read (virtual machines seldom have one), else valgrind. */
export async function availableCounter(): Promise<Counter> {
  if (await works(() => perf.count('--version', []))) return perf
  if (await works(() => run('valgrind', ['--version']))) return cachegrind
  throw new Error('Nothing here counts instructions: install valgrind (apt-get install valgrind), or allow perf to read the counters')
}

async function works(attempt: () => Promise<unknown>): Promise<boolean> {
  return attempt().then(
    () => true,
    () => false,
  )
}

async function outputOf(program: string, args: readonly string[]): Promise<string> {
  // Options that this process was given would be compiled and counted too.
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stderr } = await run(program, args, { env, maxBuffer: 16 * 1024 * 1024 })
  return stderr
}

function counted(pattern: RegExp, output: string): number {
  const count = Number(pattern.exec(output)?.[1]?.replaceAll(',', ''))
  if (!(count > 0)) throw new Error(`No count of instructions in: ${output.slice(-500)}`)
  return count
}
