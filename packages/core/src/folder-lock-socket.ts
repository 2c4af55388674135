import { type FileHandle, open } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

/** A socket file that answers as long as its process lives. */
export interface LivenessSocket {
  readonly name: string
  close(): Promise<void>
}

/** The kernel's bound on a socket's path is 108 bytes on Linux and 104 on macOS, its end mark included. */
const maxPathBytes = 103

/** Listens on a socket file of the folder. `undefined`: this file system or system has none. It does not keep the process alive. */
export async function listen(folder: string, name: string): Promise<LivenessSocket | undefined> {
  if (process.platform === 'win32') return undefined
  const reach = await shortPath(folder, name)
  if (reach === undefined) return undefined
  const server = createServer((socket) => socket.destroy()).unref()
  try {
    await listening(server, reach.path)
    return { name, close: () => closed(server, reach) }
  } catch {
    await reach.done()
    return undefined
  }
}

/** Whether the holder's socket answers. Even a stopped process does: the kernel takes the connection for it. */
export async function answers(folder: string, name: string | null): Promise<'alive' | 'ended' | 'unknown'> {
  if (name === null || name.includes('/') || process.platform === 'win32') return 'unknown'
  const reach = await shortPath(folder, name)
  if (reach === undefined) return 'unknown'
  try {
    return await new Promise((resolve) => {
      const socket = connect({ path: reach.path })
      socket.once('connect', () => {
        socket.destroy()
        resolve('alive')
      })
      socket.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED' ? 'ended' : 'unknown'))
    })
  } finally {
    await reach.done()
  }
}

interface Reach {
  readonly path: string
  done(): Promise<void>
}

/** A path that the kernel takes, however deep the folder is. */
async function shortPath(folder: string, name: string): Promise<Reach | undefined> {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= maxPathBytes) return { path, done: async () => {} }
  if (process.platform !== 'linux') return undefined
  const handle: FileHandle = await open(folder, 'r')
  return { path: `/proc/self/fd/${handle.fd}/${name}`, done: () => handle.close() }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // In a cluster worker the primary would listen otherwise, and go on when the worker has ended.
    server.listen({ path, exclusive: true }, resolve)
  })
}

/** Node removes the socket file as well. */
async function closed(server: Server, reach: Reach): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
  await reach.done()
}
