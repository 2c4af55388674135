import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Answer, Task } from './child.ts'

/** A process of its own that carries out tasks of `child.ts`. */
export interface Child {
  readonly pid: number
  /** Sends a task, and resolves with its answer. */
  run(task: Task): Promise<Answer>
  /** Resolves with the next answer that nobody asked for. */
  next(): Promise<Answer>
  kill(): Promise<void>
  /** Tells the child that there is nothing more to do; resolves with its exit code. It must end by itself. */
  end(): Promise<number | null>
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const script = fileURLToPath(new URL('./child.ts', import.meta.url))

export function startChild(): Child {
  const process = fork(script, { cwd: packageFolder, execArgv: ['--import', 'tsx'], serialization: 'advanced' })
  onTestFinished(() => void process.kill('SIGKILL'))
  const answers: Answer[] = []
  const takers: { take(answer: Answer): void; fail(error: unknown): void }[] = []
  process.on('message', (answer: Answer) => {
    const taker = takers.shift()
    if (taker === undefined) answers.push(answer)
    else taker.take(answer)
  })
  process.on('exit', (code, signal) => {
    for (const { fail } of takers.splice(0)) fail(new Error(`child ended with ${code ?? signal}`))
  })

  function next(): Promise<Answer> {
    const answer = answers.shift()
    if (answer !== undefined) return Promise.resolve(answer)
    return new Promise((take, fail) => {
      takers.push({ take, fail })
    })
  }

  return {
    pid: process.pid ?? -1,
    next,
    run(task) {
      process.send(task)
      return next()
    },
    async kill() {
      process.kill('SIGKILL')
      await exited(process)
    },
    async end() {
      const exit = exited(process)
      process.disconnect()
      return await exit
    },
  }
}

async function exited(process: ChildProcess): Promise<number | null> {
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit')
  return process.exitCode
}
