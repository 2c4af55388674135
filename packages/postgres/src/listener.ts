import { performance } from 'node:perf_hooks'
import type { Client, Notification } from 'pg'
import { pause } from './wire.ts'

/** A direct connection that listens, made when needed and made again when it breaks. */
export interface Listener {
  /** Resolves once the engine's channel is listened to. Rejects when that takes longer than a few seconds. */
  listen(channel: string): Promise<void>
  unlisten(channel: string): Promise<void>
  close(): Promise<void>
}

export interface ListenerOptions {
  /** A client that is not connected yet. */
  newClient(): Client
  onMessage(channel: string, payload: string | undefined): void
  /** The connection was gone, and is back. */
  onGap(): void
}

const listenWithinMs = 5_000
/** A connection that nothing comes from may be dead: now and then it is asked. */
const heartbeatMs = 10_000
const answerWithinMs = 3_000

export function listener({ newClient, onMessage, onGap }: ListenerOptions): Listener {
  const channels = new Set<string>()
  let connecting: Promise<Client> | undefined
  let closed = false
  let connectedBefore = false

  /** The connection, all channels listened to. */
  function connected(): Promise<Client> {
    connecting ??= connect().catch((error: unknown) => {
      connecting = undefined
      throw error
    })
    return connecting
  }

  async function connect(): Promise<Client> {
    const client = newClient()
    let heartbeat: NodeJS.Timeout | undefined
    client.on('error', ignore)
    client.on('notification', ({ channel, payload }: Notification) => onMessage(channel, payload))
    client.on('end', () => {
      clearInterval(heartbeat)
      connecting = undefined
      if (connectedBefore && !closed && channels.size > 0) void reconnect()
    })
    try {
      await within(answerWithinMs, client, client.connect())
      for (const channel of channels) await say(client, `LISTEN "${channel}"`)
    } catch (error) {
      client.connection.stream.destroy()
      throw error
    }
    heartbeat = setInterval(() => void say(client, 'SELECT 1').catch(ignore), heartbeatMs).unref()
    // Listening alone does not keep a process alive.
    unref(client)
    if (connectedBefore) onGap()
    connectedBefore = true
    return client
  }

  async function reconnect(): Promise<void> {
    for (let attempt = 0; !closed && channels.size > 0; attempt += 1) {
      try {
        await connected()
        return
      } catch {
        await idle(Math.random() * Math.min(100 * 2 ** attempt, 1_000))
      }
    }
  }

  async function listen(channel: string): Promise<void> {
    channels.add(channel)
    const until = performance.now() + listenWithinMs
    for (;;) {
      try {
        const client = await connected()
        // A connection that was made after the channel was added listens to it already; saying so again changes nothing.
        await say(client, `LISTEN "${channel}"`)
        return
      } catch (error) {
        if (closed || performance.now() >= until) {
          channels.delete(channel)
          throw error
        }
        await pause(50 + 50 * Math.random())
      }
    }
  }

  async function unlisten(channel: string): Promise<void> {
    channels.delete(channel)
    const client = await connecting?.catch(ignore)
    // Where it fails the connection is broken, and a new one does not listen to it.
    if (client !== undefined && !channels.has(channel)) await say(client, `UNLISTEN "${channel}"`).catch(ignore)
  }

  async function close(): Promise<void> {
    closed = true
    channels.clear()
    const client = await connecting?.catch(ignore)
    if (client === undefined) return
    await within(1_000, client, client.end()).catch(ignore)
  }

  return { listen, unlisten, close }
}

async function say(client: Client, text: string): Promise<void> {
  await within(answerWithinMs, client, client.query(text))
}

/** Destroys a connection that does not answer, so that whatever waits for it rejects. */
async function within<T>(ms: number, client: Client, answer: Promise<T>): Promise<T> {
  const timer = setTimeout(() => client.connection.stream.destroy(), ms)
  try {
    return await answer
  } finally {
    clearTimeout(timer)
  }
}

function unref(client: Client): void {
  const { stream } = client.connection
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
}

/** A pause that does not keep a process alive. */
function idle(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

function ignore(): undefined {
  return undefined
}
