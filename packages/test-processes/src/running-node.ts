import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createNews } from './news.ts'

export interface StartOptions {
  /** Absolute path or file URL of the entry point; TypeScript is fine. */
  readonly script: string | URL
  readonly args?: readonly string[] | undefined
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** What says that the process is ready: a line of its stdout, or an IPC message that the function accepts. */
  readonly ready: RegExp | ((message: unknown) => boolean)
  /** Bound on that, in milliseconds. Default 30,000. */
  readonly readyWithinMs?: number | undefined
}

/** How a process really ended, as the operating system reported it. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningNode extends AsyncDisposable {
  readonly pid: number
  /** The line that matched `ready`; empty where a message did. */
  readonly readyLine: string
  /** Resolves when the process has ended and its pid is free again. Never rejects. */
  readonly exited: Promise<Exit>
  /** The first stdout line that matches, printed already or within the bound. Rejects when the process ends without it. */
  line(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>
  /** The first IPC message that is accepted, received already or within the bound. Rejects as `line` does. */
  message<T>(accept: (message: unknown) => message is T, withinMs?: number): Promise<T>
  /** Writes a line to the process's stdin. */
  write(line: string): void
  /** Sends an IPC message. */
  send(message: string | number | boolean | object): void
  stdout(): string
  stderr(): string
  /** Sends the signal (default SIGKILL) and waits for the end; after the bound (default 10 s) it kills and rejects. */
  kill(signal?: NodeJS.Signals, withinMs?: number): Promise<Exit>
}

/**
 * Starts `node` itself, never a wrapper, so that the pid is the server's and a signal reaches it. The process dies with
 * this one, whatever ends this one; disposing of it kills it.
 */
export async function startNode(options: StartOptions): Promise<RunningNode> {
  const script = options.script instanceof URL ? fileURLToPath(options.script) : options.script
  const child = spawn(process.execPath, [...preloads(), script, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  const { stdin, stdout, stderr, pid } = child
  if (pid === undefined || stdin === null || stdout === null || stderr === null) {
    const [error] = await once(child, 'error')
    throw new Error(`${process.execPath} does not start`, { cause: error })
  }
  const name = `node ${script} (pid ${pid})`
  const lines: string[] = []
  const messages: unknown[] = []
  const errors: string[] = []
  const news = createNews()
  let end: Exit | undefined
  createInterface({ input: stdout }).on('line', (line) => {
    lines.push(line)
    news.tell()
  })
  stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  // A write that meets a dead reader is told by `exited`.
  stdin.on('error', () => {})
  child.on('error', () => {})
  child.on('message', (message) => {
    messages.push(message)
    news.tell()
  })
  child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
    end = { code, signal }
    news.tell()
  })

  const told = () => (errors.length === 0 ? '' : `\nIts stderr:\n${errors.join('').slice(-4_000)}`)
  async function first<T>(what: string, find: () => T | undefined, withinMs: number): Promise<T> {
    await news.until(() => find() !== undefined || end !== undefined, withinMs)
    const found = find()
    if (found !== undefined) return found
    const why = end === undefined ? `within ${withinMs} ms` : `before it ended (code ${end.code}, signal ${end.signal})`
    throw new Error(`${name} gave no ${what} ${why}.${told()}`)
  }

  const running: RunningNode = {
    pid,
    readyLine: '',
    exited,
    async line(pattern, withinMs = 10_000) {
      return first(`line ${pattern}`, () => firstMatch(lines, pattern), withinMs)
    },
    async message<T>(accept: (message: unknown) => message is T, withinMs = 10_000) {
      return (await first('message that fits', () => boxed(messages.find(accept)), withinMs)).value
    },
    write(line) {
      stdin.write(`${line}\n`)
    },
    send(message) {
      child.send(message)
    },
    stdout() {
      return lines.join('\n')
    },
    stderr() {
      return errors.join('')
    },
    async kill(signal = 'SIGKILL', withinMs = 10_000) {
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), withinMs)
      const exit = await exited
      clearTimeout(late)
      if (exit.signal === 'SIGKILL' && signal !== 'SIGKILL')
        throw new Error(`${name} did not end within ${withinMs} ms of ${signal}.${told()}`)
      return exit
    },
    async [Symbol.asyncDispose]() {
      await running.kill()
    },
  }
  try {
    return { ...running, readyLine: await untilReady(running, options) }
  } catch (error) {
    await running.kill()
    throw error
  }
}

function preloads(): string[] {
  return ['--import', import.meta.resolve('tsx'), '--import', new URL('./leash.mjs', import.meta.url).href]
}

async function untilReady(running: RunningNode, { ready, readyWithinMs = 30_000 }: StartOptions): Promise<string> {
  if (ready instanceof RegExp) return (await running.line(ready, readyWithinMs)).input
  await running.message((message): message is unknown => ready(message), readyWithinMs)
  return ''
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const match = pattern.exec(line)
    if (match !== null) return match
  }
  return undefined
}

// `undefined` means "not yet" above, so a found value travels in a box.
function boxed<T>(value: T | undefined): { value: T } | undefined {
  return value === undefined ? undefined : { value }
}
