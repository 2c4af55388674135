import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A process and all that descend from it, itself first. Processes that have ended and only wait for being reaped are not counted.
 * @param {number} root
 * @returns {number[]}
 */
export function pidsOfTree(root) {
  const all = listProcesses().filter(({ state }) => state !== 'Z')
  const found = all.some(({ pid }) => pid === root) ? [root] : []
  for (const parent of found) found.push(...all.filter(({ parentPid }) => parentPid === parent).map(({ pid }) => pid))
  return found
}

/**
 * Stops the whole tree: the root first, and when it stands still, what it has started by then.
 * @param {number} root
 */
export async function stopTree(root) {
  signalOne(root, 'SIGSTOP')
  while (stateOf(root) !== 'T' && isThere(root)) await pause(1)
  for (const pid of pidsOfTree(root)) signalOne(pid, 'SIGSTOP')
}

/**
 * Lets a stopped tree go on.
 * @param {number} root
 */
export function continueTree(root) {
  for (const pid of pidsOfTree(root)) signalOne(pid, 'SIGCONT')
}

/**
 * Kills the whole tree, stopped processes too, and resolves when all of it is gone.
 * @param {number} root
 */
export async function killTree(root) {
  await stopTree(root)
  const pids = pidsOfTree(root)
  for (const pid of pids.toReversed()) signalOne(pid, 'SIGKILL')
  while (pids.some(isThere)) await pause(2)
}

/** @param {number} pid */
function isThere(pid) {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return stateOf(pid) !== 'Z'
}

/** @param {number} pid */
function stateOf(pid) {
  return listProcesses().find((entry) => entry.pid === pid)?.state ?? 'Z'
}

/**
 * Signals a process, if it is there.
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function signalOne(pid, signal) {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** @returns {{ pid: number, parentPid: number, state: string }[]} */
function listProcesses() {
  if (process.platform !== 'linux') return listWithPs()
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readStat(name) : []))
}

/** @param {string} name */
function readStat(name) {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
    // The program's name stands in parentheses and may hold any character.
    const [state = '', parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [{ pid: Number(name), parentPid: Number(parentPid), state }]
  } catch {
    return []
  }
}

function listWithPs() {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,state='], { encoding: 'utf8' })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parentPid, state = ''] = /^\s*(\d+)\s+(\d+)\s+(\S)/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parentPid: Number(parentPid), state }]
  })
}
