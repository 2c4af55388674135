import { type BatchOutcome, batcher, type Call, type SignalBus, type SignalListener } from '@mcp-session/core/backend'
import type { Client } from 'pg'
import { texts } from './binary-arrays.ts'
import { listener } from './listener.ts'
import type { Names } from './names.ts'
import { isCallsFault } from './postgres-errors.ts'
import { decodeMessage, encodeMessage, engineChannel } from './signal-channel.ts'
import type { Statements } from './statements.ts'
import type { Wire } from './wire.ts'

/** Signals by LISTEN and NOTIFY: published through the pool, heard on a direct connection. */
export interface ClusterSignals extends SignalBus {
  /** `false`: what was published did not come back, as behind a pooler. `undefined`: nobody has listened yet. */
  isHeard(): boolean | undefined
  /** Ends all subscriptions and the connection that listens. */
  close(): Promise<void>
}

interface Subscription {
  readonly channel: string
  readonly listener: SignalListener
}

interface Publication {
  readonly channel: string
  readonly payload: string
}

export interface SignalBusOptions {
  readonly wire: Wire
  readonly statements: Statements
  readonly names: Names
  newClient(): Client
}

const probeWithinMs = 1_000

export function signalBus({ wire, statements, names, newClient }: SignalBusOptions): ClusterSignals {
  const byChannel = new Map<string, Set<Subscription>>()
  const publications = batcher<Publication, void>({ name: 'postgres', flush, isDataError: isCallsFault })
  const line = listener({
    newClient,
    onMessage(channel, payload) {
      const message = decodeMessage(payload)
      if (message === undefined) return
      for (const subscription of [...(byChannel.get(channel) ?? [])]) tell(subscription, message)
    },
    onGap() {
      for (const subscriptions of byChannel.values()) for (const subscription of subscriptions) tell(subscription, undefined)
    },
  })
  let probe: Promise<boolean> | undefined
  let heard: boolean | undefined

  async function flush(inputs: readonly Publication[], calls: readonly Call[]): Promise<readonly BatchOutcome<void>[]> {
    await wire.write(statements.publish, [texts(inputs.map(({ channel }) => channel)), texts(inputs.map(({ payload }) => payload))], calls)
    return inputs.map(() => ({ value: undefined }))
  }

  async function publish(channel: string, message: string, call: Call): Promise<void> {
    await publications.run(undefined, { channel: engineChannel(names, channel), payload: encodeMessage(message) }, call)
  }

  async function subscribe(channel: string, heardBy: SignalListener): Promise<() => Promise<void>> {
    const stop = await attach({ channel: engineChannel(names, channel), listener: heardBy })
    probe ??= tryOut()
    await probe
    return stop
  }

  async function attach(subscription: Subscription): Promise<() => Promise<void>> {
    const { channel } = subscription
    const subscriptions = byChannel.get(channel) ?? new Set()
    byChannel.set(channel, subscriptions.add(subscription))
    try {
      await line.listen(channel)
    } catch (error) {
      await detach(subscription)
      throw error
    }
    return () => detach(subscription)
  }

  async function detach(subscription: Subscription): Promise<void> {
    const { channel } = subscription
    const subscriptions = byChannel.get(channel)
    if (subscriptions?.delete(subscription) !== true || subscriptions.size > 0) return
    byChannel.delete(channel)
    await line.unlisten(channel)
  }

  /** Behind a pooler LISTEN succeeds and nothing ever arrives: so one signal is sent around. Without it everything works, but later. */
  async function tryOut(): Promise<boolean> {
    const nonce = `${Math.random()}`
    const channel = `!probe ${nonce}`
    let stop = async (): Promise<void> => {}
    const arrived = new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, probeWithinMs, false).unref()
      attach({
        channel: engineChannel(names, channel),
        listener: () => {
          clearTimeout(timer)
          resolve(true)
        },
      })
        .then(
          async (detached) => {
            stop = detached
            await publish(channel, nonce, { now: 0, deadlineAt: performance.now() + probeWithinMs })
          },
          () => resolve(false),
        )
        .catch(() => resolve(false))
    })
    heard = await arrived
    await stop()
    return heard
  }

  /** A turn of the event loop later: a listener cannot disturb the one who reads from the engine. */
  function tell(subscription: Subscription, message: string | undefined): void {
    setImmediate(() => {
      if (byChannel.get(subscription.channel)?.has(subscription) === true) hear(subscription.listener, message).catch(ignore)
    })
  }

  return {
    publish,
    subscribe,
    isHeard: () => heard,
    async close() {
      byChannel.clear()
      await publications.drain()
      await line.close()
    },
  }
}

/** Async, so that a listener that rejects is as harmless as one that throws. */
async function hear(listener: SignalListener, message: string | undefined): Promise<void> {
  const outcome: unknown = listener(message)
  await outcome
}

/** Law `signals/harmless`: the failure of a listener is its own; there is nobody here to tell. */
function ignore(): void {}
