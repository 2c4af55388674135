import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listenOnLoopback, type News, type RunningNode, startNode, startRelay } from '@mcp-session/test-processes'
import type { Emitted } from './emitter.ts'

/** A server that is killed again and again, behind a line that stays. */
export interface KilledNode extends AsyncDisposable {
  readonly url: URL
  /** It listens, and the line to it is open. */
  readonly isUp: boolean
  /** When the present process began to listen, as far as this process could see; `performance.now()`. */
  readonly upAt: number
  /** Lines of stderr of all processes so far. */
  readonly complaints: number
  /** Has that many further processes loaded, so that the length of an outage does not depend on how fast a process loads. */
  prepare(count: number): void
  /** Resolves when one is loaded. */
  prepared(): Promise<void>
  /** Lets the next process open the store and listen; resolves at once where one is prepared. */
  start(): Promise<void>
  /** Resolves when the present process is up. Rejects where it does not come up. */
  untilUp(): Promise<void>
  /** Kills the present process by SIGKILL, wherever it is. Rejects where it had ended by itself. */
  kill(): Promise<void>
  /** What the session's emitters have acknowledged, in order. */
  acknowledged(sessionId: string | undefined): Promise<readonly Emitted[]>
}

export interface KilledNodeOptions {
  readonly sdk: 1 | 2
  /** For `backendOf`. */
  readonly store: string
  readonly folder: string
  readonly retryMs: number
  readonly news: News
}

export async function killedNode({ sdk, store, folder, retryMs, news }: KilledNodeOptions): Promise<KilledNode> {
  const ledger = join(folder, 'ledger')
  // Between two processes the line ends at a door that is shut: what a dying process has sent still gets through, and nobody else
  // can be taken for the next one because it got the port of the last.
  const door = createServer((socket) => socket.on('error', () => {}).resetAndDestroy())
  const shut = await listenOnLoopback(door)
  const relay = await startRelay({ target: shut.port })
  const args = [`--sdk=${sdk}`, `--store=${store}`, `--ledger=${ledger}`, `--retry=${retryMs}`]
  const loaded: Promise<RunningNode>[] = []
  let running: RunningNode | undefined
  let incarnation = 0
  let up: Promise<void> = Promise.resolve()
  let complaints = 0

  function load(): Promise<RunningNode> {
    const loading = startNode({ script: new URL('./kill-server.ts', import.meta.url), args, ready: /^loaded$/, readyWithinMs: 60_000 })
    loading.catch(() => {})
    return loading
  }

  const node = {
    url: new URL('/mcp', relay.url),
    isUp: false,
    upAt: 0,
    get complaints() {
      return complaints
    },
    prepare(count: number) {
      while (loaded.length < count) loaded.push(load())
    },
    async prepared() {
      await loaded[0]
    },
    async start() {
      const started = await (loaded.shift() ?? load())
      started.write(String(incarnation))
      incarnation += 1
      running = started
      up = open(started)
      // Whether it matters is for `untilUp` to say: it may have been killed.
      up.catch(() => {})
    },
    untilUp: () => up,
    async kill() {
      const killed = running
      if (killed === undefined) return
      running = undefined
      const { signal, code } = await killed.kill('SIGKILL')
      node.isUp = false
      relay.restore(shut.port)
      if (killed.stderr() !== '') complaints += killed.stderr().trim().split('\n').length
      if (signal !== 'SIGKILL') throw new Error(`The server ended by itself (code ${code}, signal ${signal}): ${killed.stderr()}`)
    },
    async acknowledged(sessionId: string | undefined) {
      const lines = (await readFile(ledger, 'utf8').catch(() => '')).split('\n').map((line) => line.split(' '))
      return lines.filter(([id]) => id === sessionId).map(([, from, n]) => ({ incarnation: Number(from), n: Number(n) }))
    },
    async [Symbol.asyncDispose]() {
      const left = await Promise.allSettled(loaded)
      for (const result of left) if (result.status === 'fulfilled') await result.value.kill()
      await running?.kill()
      await relay.close()
      await new Promise((resolve) => door.close(resolve))
    },
  }

  async function open(started: RunningNode): Promise<void> {
    const [, port] = await started.line(/^listening on (\d+)$/, 30_000)
    if (running !== started) return
    node.isUp = true
    node.upAt = performance.now()
    relay.restore(Number(port))
    news.tell()
  }

  return node
}
