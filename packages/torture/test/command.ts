import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a run of the command line left behind. */
export interface Ran {
  readonly code: number
  /** The lines of stdout, parsed. */
  readonly lines: readonly Record<string, unknown>[]
  readonly stdout: string
  readonly stderr: string
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Runs `torture` as a process of its own. What it started dies with it. */
export function torture(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const given = ['--import', import.meta.resolve('tsx'), main, ...args]
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: 170_000, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, given, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') {
        reject(new Error(`torture ${args.join(' ')} did not end by itself.\n${stderr}`, { cause: error }))
        return
      }
      const lines = stdout.startsWith('{') ? stdout.trim().split('\n') : []
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, lines: lines.map((line) => JSON.parse(line)), stdout, stderr })
    })
  })
}
