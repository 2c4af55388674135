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

/** The command line of a process. */
export function commandOf(pid: number): string {
  return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
}

/** The System V shared memory that those processes made, of all that there is on this machine. */
export function sharedMemoryOf(pids: readonly number[]): readonly string[] {
  if (process.platform !== 'linux') return []
  const [, ...segments] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n')
  return segments.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[4])))
}

/** All processes that descend from that one. */
export function descendantsOf(root: number): readonly number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const found = [root]
  for (const parent of found) for (const [pid = 0, parentPid] of all) if (parentPid === parent) found.push(pid)
  return found.slice(1)
}
