import type { Socket } from 'node:net'

/** Resets a connection where that is possible, and destroys it where it is not. */
export function resetSocket(socket: Socket): void {
  // A reset would wait for a connection that is still being made. And while a shutdown is pending libuv refuses it, upon which
  // Node leaves the handle open: the event loop then spins on it for ever (seen on 20.20).
  if (socket.connecting || socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
