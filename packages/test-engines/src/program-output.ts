import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface OutputOptions {
  readonly cwd?: string
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** After which it is killed. Default: never. */
  readonly timeoutMs?: number
}

/** Runs a program to its end and gives its stdout. Rejects with its stderr where it fails. */
export async function outputOf(file: string, args: readonly string[], { cwd, env, timeoutMs = 0 }: OutputOptions = {}): Promise<string> {
  const { stdout } = await execute(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout
}
