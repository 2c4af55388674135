import { type RunningNode, startNode } from '@mcp-session/test-processes'

/** A process with a store of its own on the place of the run, which does what it is asked. */
export interface ClientProcess extends AsyncDisposable {
  readonly pid: number
  /** What it answers. Rejects with its error's text, when it ends before, and after the bound (default 600 s). */
  ask(request: object, withinMs?: number): Promise<unknown>
  /** SIGSTOP, SIGCONT: whatever it holds, it keeps. */
  pause(): void
  resume(): void
  kill(): Promise<void>
  stderr(): string
}

interface Answer {
  readonly n: number
  readonly value?: unknown
  readonly error?: string
}

const answersWithinMs = 600_000

/** Starts it, and resolves once it is ready to be asked. See `answerRequests`. */
export async function startClient(script: URL, args: readonly string[]): Promise<ClientProcess> {
  const node = await startNode({ script, args, ready: isReady, readyWithinMs: 180_000 })
  let asked = 0
  return {
    pid: node.pid,
    async ask(request, withinMs = answersWithinMs) {
      asked += 1
      const n = asked
      node.send({ n, request })
      const answer = await node.message((message): message is Answer => isAnswerTo(n, message), withinMs)
      if (answer.error !== undefined) throw new Error(`process ${node.pid} failed: ${answer.error}`)
      return answer.value
    },
    pause() {
      process.kill(node.pid, 'SIGSTOP')
    },
    resume() {
      process.kill(node.pid, 'SIGCONT')
    },
    async kill() {
      await node.kill()
    },
    stderr: node.stderr,
    [Symbol.asyncDispose]: () => end(node),
  }
}

/** Several at once. */
export async function startClients(count: number, script: URL, args: (number: number) => readonly string[]): Promise<ClientProcesses> {
  const started = await Promise.allSettled(Array.from({ length: count }, (_, number) => startClient(script, args(number))))
  const all = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const clients: ClientProcesses = {
    all,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((client) => client[Symbol.asyncDispose]()))
    },
  }
  const failed = started.find((result) => result.status === 'rejected')
  if (failed === undefined) return clients
  await clients[Symbol.asyncDispose]()
  throw failed.reason
}

export interface ClientProcesses extends AsyncDisposable {
  readonly all: readonly ClientProcess[]
}

function isReady(message: unknown): boolean {
  return message === 'ready'
}

function isAnswerTo(n: number, message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'n' in message && message.n === n
}

async function end(node: RunningNode): Promise<void> {
  await node.kill()
}
