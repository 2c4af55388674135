import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { portRefuses } from '@mcp-session/test-processes'
import type { Engine } from './engine.ts'
import type { Keeper, Launch } from './keep.ts'

export interface OwnedEngineOptions {
  readonly keeper: Keeper
  readonly url: string
  readonly port: number
  readonly launch: Launch
  /** How it is asked to end. */
  readonly endBy: NodeJS.Signals
  /** The pid of the process that serves on the port; `undefined` while none does. It tells our server from a stranger's. */
  answeringPid(): Promise<number | undefined>
  /** Ends what belongs to it besides. */
  onClose(): Promise<void>
}

/** An engine that could not be started because somebody else listens on its port. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

const startWithinMs = 60_000

/** An engine whose processes are children of a keeper. It is not started yet. */
export function ownedEngine({ keeper, url, port, launch, endBy, answeringPid, onClose }: OwnedEngineOptions): Engine {
  let pid: number | undefined
  let closed: Promise<void> | undefined

  function running(): number {
    if (pid === undefined) throw new Error(`The engine on port ${port} does not run.`)
    return pid
  }

  const engine: Engine = {
    url,
    port,
    owned: true,
    async pids() {
      return pid === undefined ? [] : await keeper.pids(pid)
    },
    async pause() {
      await keeper.pause(running())
    },
    async resume() {
      await keeper.resume(running())
    },
    async kill() {
      const doomed = running()
      pid = undefined
      await keeper.kill(doomed)
      if (!(await portRefuses(port))) throw new Error(`Port ${port} still accepts connections after SIGKILL of its engine.`)
    },
    async start() {
      if (closed !== undefined) throw new Error(`The engine on port ${port} is closed.`)
      if (pid !== undefined && !keeper.hasEnded(pid)) throw new Error(`The engine on port ${port} runs already.`)
      const started = await keeper.spawn(launch)
      pid = started
      const until = performance.now() + startWithinMs
      while (!(await answers(started))) {
        if (keeper.hasEnded(started)) throw failure('ended before it answered')
        if (performance.now() > until) throw failure(`did not answer within ${startWithinMs} ms`)
        await pause(5)
      }
    },
    close() {
      closed ??= end()
      return closed
    },
    async [Symbol.asyncDispose]() {
      await engine.close()
    },
  }

  async function answers(root: number): Promise<boolean> {
    const answering = await answeringPid()
    return answering !== undefined && (answering === root || (await keeper.pids(root)).includes(answering))
  }

  async function end(): Promise<void> {
    if (pid !== undefined) await keeper.stop(pid, endBy, 5_000)
    pid = undefined
    await onClose()
  }

  function failure(what: string): Error {
    const log = readFileSync(launch.log, 'utf8').slice(-4_000)
    const message = `${launch.argv[0]} on port ${port} ${what}. Its log ends with:\n${log}`
    return /in use/i.test(log) ? new PortTaken(message) : new Error(message)
  }

  return engine
}
