import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** How a process of an engine is started. */
export interface Launch {
  readonly argv: readonly string[]
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
  readonly gid?: number
  /** Runs the program in a Docker container of that image. */
  readonly image?: string
  /** The file that its output is appended to. */
  readonly log: string
}

/** Another process that is the parent of an engine's processes, and ends them and their folder when this process ends. */
export interface Keeper {
  /** A new folder, removed by `end`. */
  readonly folder: string
  /** Gives the folder to the user that the engine runs as. */
  own(user: { readonly uid: number; readonly gid: number }): Promise<void>
  /** Makes a folder in it and gives its path. */
  subfolder(name: string): Promise<string>
  /** Starts a process and gives its pid. */
  spawn(launch: Launch): Promise<number>
  /** Runs a program to its end; rejects with its output where it fails. */
  run(launch: Launch): Promise<void>
  /** That process and all that descend from it, itself first; empty when it is gone. */
  pids(pid: number): Promise<readonly number[]>
  /** Stops all of them; resolves once they stand still. */
  pause(pid: number): Promise<void>
  /** Lets them go on. */
  resume(pid: number): Promise<void>
  /** Kills all of them; resolves when they are gone. */
  kill(pid: number): Promise<void>
  /** Asks the process to end by that signal, and kills its tree when the bound is over. */
  stop(pid: number, signal: NodeJS.Signals, withinMs: number): Promise<void>
  /** Whether a process that `spawn` gave has ended. */
  hasEnded(pid: number): boolean
  /** Kills everything, removes the folder and ends the keeper. Idempotent. */
  end(): Promise<void>
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Starts a keeper. It costs this process neither a timer nor an open handle while nothing is asked of it. */
export async function startKeeper(): Promise<Keeper> {
  const child = fork(fileURLToPath(new URL('./keeper.mjs', import.meta.url)), [], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const waiting = new Map<number, Waiting>()
  const ended = new Set<number>()
  let asked = 0
  child.unref()

  child.on('message', (message: { n?: number; value?: unknown; error?: string; exited?: number }) => {
    if (message.exited !== undefined) ended.add(message.exited)
    if (message.n === undefined) return
    const caller = waiting.get(message.n)
    waiting.delete(message.n)
    if (waiting.size === 0) child.channel?.unref()
    if (message.error === undefined) caller?.resolve(message.value)
    else caller?.reject(new Error(message.error))
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The keeper of an engine has ended.'))
    waiting.clear()
  })

  function ask(operation: string, argument?: unknown): Promise<unknown> {
    if (!child.connected) return Promise.reject(new Error('The keeper of an engine has ended.'))
    const n = asked++
    child.channel?.ref()
    return new Promise((resolve, reject) => {
      waiting.set(n, { resolve, reject })
      child.send({ n, operation, argument })
    })
  }

  const folder = String(await ask('folder'))
  return {
    folder,
    async own(user) {
      await ask('own', user)
    },
    async subfolder(name) {
      return String(await ask('subfolder', name))
    },
    async spawn(launch) {
      return Number(await ask('spawn', launch))
    },
    async run(launch) {
      const code = await ask('run', launch)
      if (code !== 0) throw new Error(`${launch.argv.join(' ')} ended with ${code}:\n${readFileSync(launch.log, 'utf8').slice(-4_000)}`)
    },
    async pids(pid) {
      const pids = await ask('pids', pid)
      return Array.isArray(pids) ? pids.map(Number) : []
    },
    async pause(pid) {
      await ask('pause', pid)
    },
    async resume(pid) {
      await ask('resume', pid)
    },
    async kill(pid) {
      await ask('kill', pid)
    },
    async stop(pid, signal, withinMs) {
      await ask('stop', { pid, signal, withinMs })
    },
    hasEnded: (pid) => ended.has(pid),
    async end() {
      child.ref()
      if (child.connected) child.send({ operation: 'end' })
      await exited
    },
  }
}
