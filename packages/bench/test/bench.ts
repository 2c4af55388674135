import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function commandOf(args: readonly string[]): string[] {
  return ['--import', import.meta.resolve('tsx'), main, ...args]
}

export function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, commandOf(args))
}

/** Where other programs are found, or none. */
export function benchWithPath(path: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, commandOf(args), { env: { ...process.env, PATH: path } })
}

/**
 * By a signal to the command and to all that it has started, as a terminal sends it, when so many processes have measured; and
 * once more when it was heard, as `timeout` does.
 */
export async function benchStoppedAfter(
  done: number,
  signal: NodeJS.Signals,
  ...args: string[]
): Promise<{ stdout: string; code: number | null }> {
  const command = spawn(process.execPath, commandOf(args), { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = command
  if (pid === undefined) throw new Error('The command did not start')
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  })
  let stdout = ''
  command.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  createInterface(command.stderr).on('line', (progress) => {
    if (progress.startsWith(`${done}/`) || progress.startsWith(`${signal}: `)) process.kill(-pid, signal)
  })
  const [code] = await once(command, 'close')
  return { stdout, code }
}
