import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Answer, Task } from './child.ts'

/** A process of its own that carries out tasks of `child.ts`, one at a time. */
export interface Child {
  run(task: Task): Promise<Answer>
  /** Tells the child that there is nothing more to do; resolves with its exit code. It must end by itself. */
  end(): Promise<number | null>
}

export function startChild(): Child {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    execArgv: ['--import', 'tsx'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    async run(task) {
      child.send(task)
      const [answer] = await once(child, 'message')
      return answer as Answer
    },
    async end() {
      const exit = once(child, 'exit')
      child.disconnect()
      const [code] = await exit
      return code as number | null
    },
  }
}
