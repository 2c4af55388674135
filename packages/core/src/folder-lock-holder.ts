import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'

/** Who holds a folder, as the lock file says it: one line of JSON. Null: this system does not tell. */
export interface Holder {
  readonly nonce: string
  readonly pid: number
  /** Start of the process, in clock ticks since the boot (field 22 of `/proc/<pid>/stat`): tells it from a later one with that pid. */
  readonly processStart: string | null
  /** A random name of this boot of the kernel, the same in all containers of a host. */
  readonly bootId: string | null
  /** Where the pid means something. */
  readonly pidNamespace: string | null
  readonly host: string
  readonly thread: number
  /** Name of the socket in the folder that answers while the holder lives, or null. */
  readonly socket: string | null
}

/** What the system says of a process. */
export interface ProcessState {
  readonly start: string
  /** It has ended, with all its threads; only its parent has not asked for its exit code yet. */
  readonly ended: boolean
}

export function thisHolder(nonce: string, socket: string | null): Holder {
  return {
    nonce,
    pid: process.pid,
    processStart: processState(process.pid)?.start ?? null,
    bootId: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    pidNamespace: orNull(() => readlinkSync('/proc/self/ns/pid')),
    host: hostname(),
    thread: threadId,
    socket,
  }
}

/** `undefined`: this system has no `/proc`, or hides that process. */
export function processState(pid: number): ProcessState | undefined {
  const text = orNull(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  if (text === null) return undefined
  // Field 2 is the program's name in brackets, which may contain anything. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, threads, start] = [fields[0], fields[17], fields[19]]
  if (state === undefined || start === undefined) return undefined
  // A leader is a zombie as soon as it has ended itself: a write of another of its threads may still be under way.
  return { start, ended: state === 'X' || (state === 'Z' && Number(threads) <= 1) }
}

export function formatHolder(holder: Holder): string {
  return `${JSON.stringify({ format: 1, ...holder })}\n`
}

/** `undefined`: not the text of a lock file of this format. */
export function parseHolder(text: string): Holder | undefined {
  const value: unknown = orNull(() => JSON.parse(text))
  return isHolder(value) ? value : undefined
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false
  const fields: Readonly<Record<string, unknown>> = { ...value }
  return (
    fields['format'] === 1 &&
    typeof fields['nonce'] === 'string' &&
    /^[\w-]{1,64}$/.test(fields['nonce']) &&
    Number.isSafeInteger(fields['pid']) &&
    Number(fields['pid']) > 0 &&
    ['processStart', 'bootId', 'pidNamespace', 'socket'].every((name) => fields[name] === null || typeof fields[name] === 'string') &&
    typeof fields['host'] === 'string' &&
    typeof fields['thread'] === 'number'
  )
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
