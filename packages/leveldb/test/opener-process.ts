import { type RunningNode, startNode } from '@mcp-session/test-processes'
import { onTestFinished } from 'vitest'
import type { OpenerAnswer, OpenerTask } from './processes/opener.ts'

/** A process of its own that carries out tasks of `opener.ts`. */
export interface Opener {
  readonly pid: number
  run(task: OpenerTask['do'], path: string): Promise<OpenerAnswer>
  /** Sends a task of which the answers are read with `next`. */
  start(task: OpenerTask['do'], path: string): void
  /** The next answer. */
  next(): Promise<OpenerAnswer>
  kill(): Promise<void>
}

export async function startOpener(): Promise<Opener> {
  const node: RunningNode = await startNode({
    script: new URL('./processes/opener.ts', import.meta.url),
    ready: (message) => message === 'ready',
  })
  onTestFinished(() => node[Symbol.asyncDispose]())
  const seen = new Set<unknown>()

  function start(task: OpenerTask['do'], path: string): void {
    node.send({ do: task, path } satisfies OpenerTask)
  }

  async function next(): Promise<OpenerAnswer> {
    const isNew = (message: unknown): message is OpenerAnswer =>
      typeof message === 'object' && message !== null && 'did' in message && !seen.has(message)
    const answer = await node.message(isNew, 30_000)
    seen.add(answer)
    return answer
  }

  return {
    pid: node.pid,
    start,
    next,
    run(task, path) {
      start(task, path)
      return next()
    },
    async kill() {
      await node.kill('SIGKILL')
    },
  }
}
