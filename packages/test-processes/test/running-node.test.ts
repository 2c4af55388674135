import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { pidIsGone, portRefuses, startNode } from '../src/index.ts'

const listener = new URL('./fixtures/listener.ts', import.meta.url)
const parentOfListener = new URL('./fixtures/parent.ts', import.meta.url)
const quitter = new URL('./fixtures/quitter.ts', import.meta.url)
const listens = /process (\d+) listens on (\d+)/

function addressIn(line: string): { pid: number; port: number } {
  const [, pid, port] = listens.exec(line) ?? []
  return { pid: Number(pid), port: Number(port) }
}

async function connectionTo(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket.resume()
}

// `once` would reject on the error of a reset.
const closeOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

describe('startNode', { timeout: 60_000 }, () => {
  it('starts node itself: the pid is the one that the script sees', async () => {
    await using node = await startNode({ script: listener, ready: listens })
    const { pid, port } = addressIn(node.readyLine)
    expect(pid).toBe(node.pid)
    expect(pidIsGone(pid)).toBe(false)
    expect(await portRefuses(port)).toBe(false)
  })

  it('waits for an IPC message where asked to, and passes lines and messages both ways', async () => {
    const isListening = (message: unknown) => typeof message === 'object' && message !== null && 'listening' in message
    await using node = await startNode({ script: listener, ready: isListening })
    node.write('a line')
    expect((await node.line(/^echo (.*)$/))[1]).toBe('a line')
    node.send({ n: 1 })
    const echo = await node.message(
      (message): message is { echo: unknown } => typeof message === 'object' && message !== null && 'echo' in message,
    )
    expect(echo).toEqual({ echo: { n: 1 } })
  })

  it('kills for real: signal SIGKILL, the pid gone, the port refusing, the connections closed', async () => {
    await using node = await startNode({ script: listener, ready: listens })
    const { port } = addressIn(node.readyLine)
    const closed = closeOf(await connectionTo(port))
    expect(await node.kill()).toEqual({ code: null, signal: 'SIGKILL' })
    expect(pidIsGone(node.pid)).toBe(true)
    expect(await portRefuses(port)).toBe(true)
    await closed
    expect(await node.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(await node.kill()).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('tells the exit code that the process chose', async () => {
    await using node = await startNode({ script: listener, args: ['exit-7'], ready: listens })
    expect(await node.kill('SIGTERM')).toEqual({ code: 7, signal: null })
  })

  it('rejects, and kills, when a process ignores the signal', async () => {
    await using node = await startNode({ script: listener, args: ['ignore'], ready: listens })
    await expect(node.kill('SIGTERM', 50)).rejects.toThrow(/did not end within 50 ms of SIGTERM/)
    expect(pidIsGone(node.pid)).toBe(true)
  })

  it('rejects with the stderr of a process that ends before it is ready', async () => {
    const started = startNode({ script: quitter, ready: listens })
    await expect(started).rejects.toThrow(/before it ended \(code 3, signal null\).*\n.*\nquitter: no such file or directory/s)
  })

  it('rejects and leaves no process when readiness does not come in time', async () => {
    const started = startNode({ script: listener, ready: /never printed/, readyWithinMs: 1 })
    const failure: unknown = await started.catch((error: unknown) => error)
    expect(String(failure)).toMatch(/never printed.*within 1 ms/)
    expect(pidIsGone(Number(/pid (\d+)/.exec(String(failure))?.[1]))).toBe(true)
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('takes its process down when the parent ends by %s', async (signal) => {
    await using parent = await startNode({ script: parentOfListener, ready: listens })
    const { port } = addressIn(parent.readyLine)
    const closed = closeOf(await connectionTo(port))
    await parent.kill(signal)
    // The listener closes no connection itself, so only its death does.
    await closed
  })
})

describe('pidIsGone', () => {
  it('is false for this process and for its init, true for a pid that cannot be', () => {
    expect(pidIsGone(process.pid)).toBe(false)
    expect(pidIsGone(1)).toBe(false)
    expect(pidIsGone(2 ** 30)).toBe(true)
  })
})
