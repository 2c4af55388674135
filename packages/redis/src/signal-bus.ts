import type { Call, SignalBus, SignalListener } from '@mcp-session/core/backend'
import { Command, type Redis } from 'ioredis'
import { type Connection, ignore, isCluster } from './connection.ts'
import { type Ear, ear } from './ear.ts'
import type { Keys } from './keys.ts'
import { admit } from './lane.ts'
import { RedisFault } from './redis-errors.ts'
import { masterOf } from './topology.ts'

/** Signals by publish and subscribe, on connections of their own; on a cluster with the master that has the channel's slot. */
export interface RedisSignals extends SignalBus {
  /** Ends all subscriptions and their connections. */
  clear(): void
}

interface Channel {
  readonly listeners: Set<{ readonly listener: SignalListener }>
  /** Whom it is heard through. */
  ear: Ear
}

const tendEveryMs = 1_000

export function signalBus(connection: Connection, keys: Keys, hasSharded: boolean): RedisSignals {
  const { client, cluster } = connection
  const isSharded = cluster !== undefined && hasSharded
  const channels = new Map<string, Channel>()
  const ears = new Map<string, Ear>()
  let timer: NodeJS.Timeout | undefined

  function earFor(name: string): Ear {
    const server = serverFor(name)
    const address = isSharded ? `${server.options.host}:${server.options.port}` : ''
    const known = ears.get(address)
    if (known !== undefined) return known
    const made = ear({
      like: server,
      isSharded,
      onMessage: (channel, message) => tell(channels.get(channel), message),
      onGap: () => {
        for (const channel of channels.values()) if (channel.ear === made) tell(channel, undefined)
      },
    })
    ears.set(address, made)
    return made
  }

  function serverFor(name: string): Redis {
    if (!isCluster(client)) return client
    const server = isSharded ? masterOf(client, new Command('get', [name]).getSlot()) : client.nodes('master')[0]
    if (server !== undefined) return server
    throw new RedisFault('unsent', 'The master that has the channel cannot be reached now')
  }

  async function publish(channel: string, message: string, call: Call): Promise<void> {
    admit(call, 0)
    await connection.send({ name: isSharded ? 'spublish' : 'publish', args: [keys.channel(channel), message], deadlineAt: call.deadlineAt })
  }

  async function subscribe(channel: string, listener: SignalListener): Promise<() => Promise<void>> {
    const name = keys.channel(channel)
    const known = channels.get(name) ?? { listeners: new Set(), ear: earFor(name) }
    const subscription = { listener }
    channels.set(name, known)
    known.listeners.add(subscription)
    timer ??= setInterval(tend, tendEveryMs).unref()
    try {
      // Also where others listen already: only the answer says that the channel is heard.
      await known.ear.listen(name)
    } catch (error) {
      await unsubscribe()
      throw error
    }

    async function unsubscribe(): Promise<void> {
      if (!known.listeners.delete(subscription) || known.listeners.size > 0 || channels.get(name) !== known) return
      channels.delete(name)
      await known.ear.leave(name)
      if (channels.size === 0) clear()
    }
    return unsubscribe
  }

  /** Finds out connections that are dead without a word, and channels whose slot has another master by now. */
  function tend(): void {
    for (const one of ears.values()) one.probe()
    if (cluster === undefined || !isSharded) return
    if ([...ears.values()].some((one) => !one.isReady())) cluster.refreshSlotsCache()
    for (const [name, channel] of channels) move(name, channel).catch(ignore)
  }

  async function move(name: string, channel: Channel): Promise<void> {
    const now = earFor(name)
    if (now === channel.ear) return
    const before = channel.ear
    channel.ear = now
    await now.listen(name).catch((error: unknown) => {
      channel.ear = before
      throw error
    })
    tell(channel, undefined)
    await before.leave(name)
    if ([...channels.values()].some(({ ear }) => ear === before)) return
    before.close()
    for (const [address, one] of ears) if (one === before) ears.delete(address)
  }

  function clear(): void {
    clearInterval(timer)
    timer = undefined
    channels.clear()
    for (const one of ears.values()) one.close()
    ears.clear()
  }

  return { publish, subscribe, clear }
}

function tell(channel: Channel | undefined, message: string | undefined): void {
  for (const subscription of [...(channel?.listeners ?? [])]) {
    if (channel?.listeners.has(subscription)) heard(subscription.listener, message).catch(ignore)
  }
}

/** Async, so that a listener that throws or rejects harms nobody; there is nobody here to tell. */
async function heard(listener: SignalListener, message: string | undefined): Promise<void> {
  const outcome: unknown = listener(message)
  await outcome
}
