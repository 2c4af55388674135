import { connect } from 'node:net'

/** Sends one command to a Redis on 127.0.0.1 and gives what comes back within 1 s as text; empty where it does not answer. */
export function redisReply(port: number, ...lines: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let reply = ''
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 })
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      reply += text
    })
    socket.on('error', () => {})
    socket.on('timeout', () => socket.destroy())
    socket.once('close', () => resolve(reply))
    socket.end(`${[...lines, 'QUIT'].join('\r\n')}\r\n`)
  })
}

/** The pid that the Redis on that port gives as its own; `undefined` where none serves. `before`: commands to send first. */
export async function redisPid(port: number, ...before: readonly string[]): Promise<number | undefined> {
  const [, pid] = /^process_id:(\d+)\r$/m.exec(await redisReply(port, ...before, 'INFO server')) ?? []
  return pid === undefined ? undefined : Number(pid)
}
