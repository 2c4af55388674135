import { connect } from 'node:net'

/** Whether no process has that pid. One that was killed but not yet reaped by its parent is still there. */
export function pidIsGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return hasCode(error, 'ESRCH')
  }
}

/** Whether a connection to that port of 127.0.0.1 is refused. Any other failure is thrown: it proves nothing. */
export function portRefuses(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error) => (hasCode(error, 'ECONNREFUSED') ? resolve(true) : reject(error)))
  })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
