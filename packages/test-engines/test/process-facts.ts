import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The operating system's letter for what a process does (`T`: stopped); `undefined` when it has ended, reaped or not. */
export function stateOf(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
  const state = stdout.trim().charAt(0)
  return state === '' || state === 'Z' ? undefined : state
}

/** The user that a process runs as. */
export function userOf(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }).stdout)
}

/** The System V shared memory that those processes made, of all that there is on this machine. */
export function sharedMemoryOf(pids: readonly number[]): readonly string[] {
  if (process.platform !== 'linux') return []
  const [, ...segments] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n')
  return segments.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[4])))
}
