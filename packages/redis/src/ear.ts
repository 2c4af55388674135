import { performance } from 'node:perf_hooks'
import type { Redis } from 'ioredis'
import { ignore, soon, watchHandshake } from './connection.ts'
import { sendOnce } from './send.ts'

/** A connection that listens to channels, and comes back by itself. */
export interface Ear {
  /** Resolves once it listens. */
  listen(channel: string): Promise<void>
  /** Does not fail: a connection that is gone listens to nothing. */
  leave(channel: string): Promise<void>
  /** Drops the connection if it has not answered since the last time, and is otherwise a question to answer. */
  probe(): void
  isReady(): boolean
  close(): void
}

export interface EarOptions {
  /** Whose address, credentials and TLS are used. */
  readonly like: Redis
  readonly isSharded: boolean
  onMessage(channel: string, message: string): void
  /** It listens again, and does not know what it has missed. */
  onGap(): void
}

const listenWithinMs = 5_000

export function ear({ like, isSharded, onMessage, onGap }: EarOptions): Ear {
  const channels = new Set<string>()
  const client = like.duplicate({
    lazyConnect: true,
    enableOfflineQueue: true,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: soon,
    disconnectTimeout: 50,
    keyPrefix: '',
    monitor: false,
    readOnly: false,
  })
  let wasReady = false
  let isAsked = false

  client.on('error', ignore)
  watchHandshake(client)
  client.on(isSharded ? 'smessage' : 'message', onMessage)
  client.on('ready', () => {
    if (wasReady) again().catch(drop)
    wasReady = true
  })
  client.connect().catch(ignore)

  async function again(): Promise<void> {
    await Promise.all([...channels].map((channel) => ask('subscribe', channel)))
    onGap()
  }

  function ask(name: 'subscribe' | 'unsubscribe', channel: string): Promise<unknown> {
    const deadlineAt = performance.now() + listenWithinMs
    return sendOnce(client, { name: isSharded ? `s${name}` : name, args: [channel], deadlineAt })
  }

  function drop(): void {
    client.disconnect(true)
  }

  return {
    async listen(channel) {
      channels.add(channel)
      await ask('subscribe', channel).catch((error: unknown) => {
        channels.delete(channel)
        throw error
      })
    },
    async leave(channel) {
      if (channels.delete(channel) && client.status === 'ready') await ask('unsubscribe', channel).catch(ignore)
    },
    probe() {
      if (client.status !== 'ready') return
      if (isAsked) return drop()
      isAsked = true
      const answered = () => {
        isAsked = false
      }
      client.ping().then(answered, answered)
    },
    isReady: () => client.status === 'ready',
    close: () => client.disconnect(),
  }
}
