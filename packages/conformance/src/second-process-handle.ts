import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { SessionBackend, SignalListener } from '@mcp-session/core/backend'
import type { Harness } from './harness.ts'
import { remoteBackend } from './remote-backend.ts'
import { ACKS_FD, type Answer, type Request, type Step, type TimedOutcome } from './second-process-protocol.ts'

/** A process of `node` with a backend of its own on the store of the case. */
export interface SecondProcess {
  readonly pid: number
  /** Its backend: every call goes there and back. `info`, `classify` and `open` are not carried over. */
  readonly backend: SessionBackend
  /** Runs steps there, some at once, without a round trip for each. */
  run(steps: readonly Step[], lanes: number, now: number): Promise<TimedOutcome[]>
  /** Counts in a record there, by compare-and-set; resolves with the number of lost races. */
  increment(id: string, times: number, now: number): Promise<number>
  /** The indexes of the steps that it has acknowledged so far. */
  acknowledged(): readonly number[]
  /** Resolves once that many steps are acknowledged, or the process is gone. */
  whenAcknowledged(count: number): Promise<void>
  /** SIGKILL; resolves once the process is gone and its last acknowledgements are read. */
  kill(): Promise<void>
  /** Closes its backend and leaves it alone: resolves once it has exited by itself. */
  leave(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Makes sure that it is gone. */
  end(): Promise<void>
}

export type Ask = (request: WithoutNumber<Request>) => Promise<unknown>
type WithoutNumber<T> = T extends unknown ? Omit<T, 'n'> : never

/** Starts `node` itself, never a wrapper: SIGKILL on a wrapper leaves the process alive that it has started. */
export async function startSecondProcess(harness: Harness, place: string): Promise<SecondProcess> {
  if (harness.secondProcess === undefined) throw new Error('the harness has no secondProcess')
  const program = new URL(import.meta.url.endsWith('.ts') ? './second-process.ts' : './second-process.js', import.meta.url)
  const child = spawn(process.execPath, [...loader(harness.secondProcess, program), fileURLToPath(program), harness.secondProcess, place], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    serialization: 'advanced',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const complaints = child.stderr === null ? Promise.resolve('') : text(child.stderr)
  const gone = exited.then(async ({ code, signal }) => {
    throw new Error(`the second process ended with ${signal ?? code}: ${(await complaints).slice(-2_000)}`)
  })
  gone.catch(() => {})
  const acks = acknowledgements(child, exited)
  const { ask, listeners, ready } = conversation(child, gone)
  try {
    await ready
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }

  return {
    pid: child.pid ?? 0,
    backend: remoteBackend(ask, listeners),
    run: (steps, lanes, now) => ask({ do: 'steps', steps, lanes, now }) as Promise<TimedOutcome[]>,
    increment: (id, times, now) => ask({ do: 'increment', id, times, now }) as Promise<number>,
    acknowledged: acks.indexes,
    whenAcknowledged: acks.reached,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async leave() {
      await ask({ do: 'close' })
      return exited
    },
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}

/** TypeScript needs tsx, from where the harness lives or from where the kit does. */
function loader(module: string, program: URL): string[] {
  if (!module.endsWith('.ts') && !program.href.endsWith('.ts')) return []
  for (const from of [module, import.meta.url]) {
    try {
      return ['--import', new URL(`file://${createRequire(from).resolve('tsx')}`).href]
    } catch {}
  }
  return []
}

function acknowledgements(child: ChildProcess, exited: Promise<unknown>): { indexes(): number[]; reached(count: number): Promise<void> } {
  const indexes: number[] = []
  const waiting: { count: number; resolve(): void }[] = []
  let rest = ''
  const pipe = child.stdio[ACKS_FD]
  if (pipe !== null && pipe !== undefined && 'setEncoding' in pipe) {
    pipe.setEncoding('utf8')
    pipe.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      indexes.push(...lines.map(Number))
      for (const { count, resolve } of waiting) if (indexes.length >= count) resolve()
    })
  }
  const reached = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (indexes.length >= count) resolve()
      else waiting.push({ count, resolve })
      void exited.then(() => resolve())
    })
  return { indexes: () => indexes, reached }
}

function conversation(
  child: ChildProcess,
  gone: Promise<never>,
): { ask: Ask; listeners: Map<number, SignalListener>; ready: Promise<void> } {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  const listeners = new Map<number, SignalListener>()
  let asked = 0
  const ready = new Promise<void>((resolve, reject) => {
    gone.catch(reject)
    child.on('message', (answer: Answer) => {
      if ('ready' in answer) return resolve()
      if ('signal' in answer) return listeners.get(answer.signal)?.(answer.message)
      const waiter = pending.get(answer.n)
      pending.delete(answer.n)
      if ('error' in answer) waiter?.reject(errorFrom(answer.error))
      else waiter?.resolve(answer.value)
    })
  })
  gone.catch((error: unknown) => {
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  })

  const ask: Ask = (request) =>
    new Promise((resolve, reject) => {
      asked += 1
      pending.set(asked, { resolve, reject })
      child.send({ ...request, n: asked }, (error) => {
        if (error !== null) reject(error)
      })
    })
  return { ask, listeners, ready }
}

function errorFrom({ name, message }: { readonly name: string; readonly message: string }): Error {
  const error = name === 'TypeError' ? new TypeError(message) : new Error(message)
  error.name = name
  return error
}
