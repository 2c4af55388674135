import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Answer, Task } from './child.ts'

/** A process of its own that carries out tasks of `child.ts`. */
export interface Child {
  /** Sends a task, and resolves with its answer; one at a time. Rejects when the child ends before. */
  run(task: Task): Promise<Answer>
  /** Tells the child that there is nothing more to do; resolves with its exit code. It must end by itself. */
  end(): Promise<number | null>
}

export function startChild(): Child {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    async run(task) {
      const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the child ended with ${String(code)}`)))
      const answered = once(child, 'message') as Promise<[Answer]>
      child.send(task)
      const [answer] = await Promise.race([answered, ended])
      if (answer['error'] !== undefined) throw new Error(String(answer['error']))
      return answer
    },
    async end() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
      return child.exitCode
    },
  }
}
