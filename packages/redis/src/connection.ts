import { Cluster, Redis } from 'ioredis'
import { type Gate, gate } from './gate.ts'
import type { RedisSettings } from './options.ts'
import { isNoScript, RedisFault } from './redis-errors.ts'
import { type Argument, requestOf } from './request.ts'
import type { Script } from './script.ts'
import { type Dispatch, sendOnce } from './send.ts'

/** A client of ioredis, our own or lent, and the only way to send something through it. */
export interface Connection {
  readonly client: Redis | Cluster
  /** The same, if it is one of a cluster. */
  readonly cluster: Cluster | undefined
  readonly gate: Gate
  send(dispatch: Dispatch): Promise<unknown>
  /** Runs a script by its name, and tells the server its text where it has forgotten it. */
  run(script: Script, keys: readonly string[], args: readonly Argument[], deadlineAt: number): Promise<unknown>
  /** The masters of a cluster, or the one server. */
  masters(): readonly Redis[]
  /** Leaves a lent client as it is. */
  close(): void
}

/** The first connection, TLS and authentication included. */
const openWithinMs = 5_000
/** A handshake takes two round trips; one that takes longer has met a server that stopped, or a network that swallows everything. */
const handshakeWithinMs = 900
const retryMs = 200

/** Connects, or waits until a lent client is connected. A failure leaves nothing open. */
export async function connect({ source, redisOptions }: RedisSettings): Promise<Connection> {
  if (source.kind === 'client')
    return connectionOf(
      source.client,
      () => undefined,
      () => {},
    )
  const client = clientFor(source, redisOptions)
  let lastError: unknown
  client.on('error', (error: unknown) => {
    lastError = error
  })
  const connection = connectionOf(
    client,
    () => lastError,
    () => client.disconnect(),
  )
  await ready(client).catch((error: unknown) => {
    connection.close()
    throw error
  })
  return connection
}

function connectionOf(client: Redis | Cluster, lastError: () => unknown, close: () => void): Connection {
  const send = (dispatch: Dispatch) => sendOnce(client, dispatch)
  return {
    client,
    cluster: isCluster(client) ? client : undefined,
    gate: gate({ isOpen: () => isUsable(client), lastError }),
    send,
    async run({ sha, text }, keys, args, deadlineAt) {
      const ask = (name: string, script: string) => {
        const request = requestOf([name, script, String(keys.length)], keys, args)
        return send({ name, args: [script, 1, keys[0] ?? ''], request, deadlineAt })
      }
      try {
        return await ask('evalsha', sha)
      } catch (error) {
        if (!isNoScript(error)) throw error
        return await ask('eval', text)
      }
    },
    masters: () => (isCluster(client) ? client.nodes('master') : [client]),
    close,
  }
}

function clientFor(source: Exclude<RedisSettings['source'], { kind: 'client' }>, given: RedisSettings['redisOptions']): Redis | Cluster {
  const options = {
    connectTimeout: handshakeWithinMs,
    disconnectTimeout: 50,
    maxLoadingRetryTime: 100,
    ...given,
    // Whatever is given, nothing is kept for later or sent again: `send.ts` says why.
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    keyPrefix: '',
    replyMapping: 'legacy' as const,
  }
  if (source.kind === 'nodes') {
    const cluster = new Cluster([...source.nodes], {
      lazyConnect: true,
      slotsRefreshTimeout: handshakeWithinMs,
      clusterRetryStrategy: soon,
      redisOptions: options,
    })
    cluster.on('+node', watchHandshake)
    return cluster
  }
  const single = { ...options, enableOfflineQueue: false, retryStrategy: soon }
  const client =
    source.kind === 'url' ? new Redis(source.url, single) : new Redis({ ...single, sentinels: [...source.sentinels], name: source.name })
  watchHandshake(client)
  return client
}

/** One that connects by its first command, and one that was closed, have to be asked. */
function isUsable(client: Redis | Cluster): boolean {
  const { status } = client
  // A socket that was destroyed is so at once; the client says it a turn of the event loop later.
  if (status === 'ready') return isCluster(client) || client.stream.writable
  return status === 'wait' || status === 'end'
}

export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster
}

/** ioredis has a limit for connecting, and none for the handshake after it. */
export function watchHandshake(client: Redis): void {
  let timer: NodeJS.Timeout | undefined
  client.on('connect', () => {
    timer = setTimeout(() => client.disconnect(true), handshakeWithinMs)
  })
  for (const event of ['ready', 'close', 'end']) client.on(event, () => clearTimeout(timer))
}

/** Back within a second of the server's return; with jitter, so that many nodes do not come at once. */
export function soon(times: number): number {
  return Math.min(25 * times, retryMs) * (0.75 + Math.random() / 4)
}

/** The first error decides; a server that is loading its data, or a cluster that is not complete yet, is waited for. */
function ready(client: Redis | Cluster): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisFault('unsent', `Redis was not ready within ${openWithinMs} ms`)), openWithinMs)
    const ended = (settle: () => void) => () => {
      clearTimeout(timer)
      client.off('ready', isReady).off('error', failed)
      settle()
    }
    const isReady = ended(resolve)
    const failed = (error: unknown) => ended(() => reject(nodeErrorOf(error)))()
    client.on('ready', isReady).on('error', failed)
    client.connect().catch(ignore)
  })
}

/** A cluster's client says only that none of the nodes could be asked. */
function nodeErrorOf(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error
}

/** Calls tell of a connection that fails; without a listener ioredis writes it to the console. */
export function ignore(): void {}
