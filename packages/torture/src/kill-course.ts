import { setTimeout as after } from 'node:timers/promises'
import type { News } from '@mcp-session/test-processes'
import { type CallLoad, type CallTally, callLoad } from './call-load.ts'
import { type Delivery, delivery, missing } from './delivery.ts'
import type { Emitted } from './emitter.ts'
import type { Trial } from './harness.ts'
import type { KilledNode } from './killed-node.ts'
import { seededRandom } from './random.ts'
import { readStandalone } from './raw-reader.ts'
import { connectClient, type StockClient } from './stock-client.ts'

/** Sessions that live through kills, one after the other, and what was seen of them. Times in ms. */
export interface KillCourse {
  run(): Promise<void>
  readonly kills: number
  readonly sessions: number
  /** Messages of emitters that clients were given. */
  readonly messages: number
  readonly calls: CallTally
  /** From a process's listening to the answer of the first POST. */
  readonly firstPosts: readonly number[]
  /** From a process's listening to the first event of the standalone stream. */
  readonly returns: readonly number[]
  /** From a kill to the next process's listening. */
  readonly restarts: readonly number[]
  /** Restarts that took longer than a stock client waits for its stream: they say nothing about the server. */
  readonly restartsTooSlow: number
  /** Standalone streams that a stock client gave up, and that a raw reader read on. */
  readonly streamsGivenUp: number
  /** Standalone streams to which a stock client came back without its place, and that a raw reader read on. */
  readonly streamsWithoutPlace: number
}

export interface KillCourseOptions {
  readonly trial: Trial
  readonly node: KilledNode
  readonly clientMajor: 1 | 2
  /** Kills do not wait for anything. */
  readonly isAnySpacing: boolean
  readonly retryMs: number
  readonly news: News
}

interface Ridden {
  readonly client: StockClient
  readonly load: CallLoad
  readonly given: Delivery
}

/** Kills of one session where they wait for nothing: later ones would mostly meet a client that listens no more. */
const killsPerSession = 5

export function killCourse({ trial, node, clientMajor, isAnySpacing, retryMs, news }: KillCourseOptions): KillCourse {
  const { random, bad } = trial
  const calls: CallTally = { calls: 0, hit: 0, hitResults: 0, hitTimes: [], givenUp: 0, placeless: 0 }
  const seen = { kills: 0, sessions: 0, messages: 0, restartsTooSlow: 0, streamsGivenUp: 0, streamsWithoutPlace: 0 }
  /** Kills that were begun: the process may be dying. */
  let shots = 0
  const firstPosts: number[] = []
  const returns: number[] = []
  const restarts: number[] = []
  const callBar = 5_000 + retryMs
  const isOver = () => seen.kills >= trial.tries || trial.isOver()

  async function run(): Promise<void> {
    while (!isOver()) {
      await ensureUp()
      const ridden = await begin()
      try {
        if (isAnySpacing) await rideAnyhow(ridden)
        else await rideInOrder(ridden)
        await judge(ridden)
      } finally {
        await ridden.client.close()
      }
    }
  }

  async function ensureUp(): Promise<void> {
    if (!node.isUp) await node.start()
    await node.untilUp()
    prepare()
  }

  /** Several, since some kills come soon after each other; and none that will not be needed. */
  function prepare(): void {
    node.prepare(Math.min(isAnySpacing ? 3 : 2, trial.tries - seen.kills))
  }

  async function begin(): Promise<Ridden> {
    seen.sessions += 1
    const given = delivery({ inTurn: true })
    const ears = {
      log(data: unknown) {
        // Then the client is given what it is not meant to be given: from its last place on it is the raw reader's.
        if (!client.streams.hasLostPlace) given.take(data)
        news.tell()
      },
      asked: () => '',
    }
    const client = await connectClient(clientMajor, node.url, ears, news.tell)
    const load = callLoad({
      client,
      tally: calls,
      random: seededRandom(trial.seed + seen.sessions),
      news,
      withinMs: callBar,
      since: isAnySpacing ? 'last' : 'first',
      bad: said,
    })
    await load.count()
    if (!(await news.until(() => client.streams.standalone.isOpen, 10_000))) throw new Error('A new client got no GET stream within 10 s')
    load.resume()
    return { client, load, given }
  }

  /** Each kill waits until the client listens again, on the standalone stream and on those of its calls. */
  async function rideInOrder({ client, load }: Ridden): Promise<void> {
    const { streams } = client
    const id = client.sessionId()
    while (!isOver()) {
      // Some kills meet a client that is just being given what it has missed.
      await Promise.all([after(random() < 0.3 ? random() * 30 : random() * 800), node.prepared()])
      const killedAt = await kill(load)
      await after(random() * 1.4 * retryMs)
      await node.start()
      await node.untilUp()
      restarts.push(node.upAt - killedAt)
      await firstPost(load)
      if (client.sessionId() !== id) said(`the session id changed from ${id} to ${client.sessionId()}`)
      load.resume()
      const isBack = () => streams.standalone.openedAt > killedAt
      await news.until(() => isBack() || streams.standalone.isGivenUp || streams.hasLostPlace, 2 * retryMs + 5_000)
      prepare()
      if (streams.hasLostPlace) return
      if (isBack()) {
        returns.push(streams.standalone.openedAt - node.upAt)
        // A kill that meets the streams of calls on their way back is the other row's.
        await news.until(load.isBack, retryMs)
        continue
      }
      // It was refused twice: the stock client's limit, told apart from a server that does not let it back.
      if (node.upAt - killedAt > 2 * retryMs - 50) seen.restartsTooSlow += 1
      else said(`the GET stream was not back ${Math.round(performance.now() - node.upAt)} ms after the process listened`)
      return
    }
  }

  /** Kills come while the process starts, while clients come back, and in between. */
  async function rideAnyhow({ client, load }: Ridden): Promise<void> {
    for (let count = 0; count < killsPerSession && !isOver(); count += 1) {
      await after(random() < 0.4 ? random() * 100 : random() * 4 * retryMs)
      const killedAt = await kill(load)
      await after(random() < 0.15 ? random() * 3 * retryMs : random() * retryMs)
      await node.start()
      prepare()
      const before = shots
      void node.untilUp().then(
        async () => {
          // The next kill has begun meanwhile.
          if (shots !== before) return
          restarts.push(node.upAt - killedAt)
          load.resume()
          // It starts the messages again, and may itself be hit.
          await load.count().catch((error: unknown) => shots === before && said(`a call failed that no kill hit: ${told(error)}`))
        },
        () => {},
      )
    }
    await node.untilUp()
    await firstPost(load)
    await news.until(() => client.streams.standalone.isOpen || client.streams.standalone.isGivenUp, 2 * retryMs + 5_000)
  }

  async function kill(load: CallLoad): Promise<number> {
    load.pause()
    load.hit()
    shots += 1
    const killedAt = performance.now()
    await node.kill()
    seen.kills += 1
    trial.progress(seen.kills)
    return killedAt
  }

  async function firstPost(load: CallLoad): Promise<void> {
    try {
      await load.count()
      firstPosts.push(performance.now() - node.upAt)
    } catch (error) {
      said(`the first call after the restart failed: ${told(error)}`)
    }
  }

  async function judge({ client, load, given }: Ridden): Promise<void> {
    await load.settle(2 * callBar)
    const sessionId = client.sessionId() ?? ''
    const { streams } = client
    const { isOpen, isGivenUp } = streams.standalone
    const acknowledged = await node.acknowledged(sessionId)
    if (acknowledged.length === 0) said('no message was acknowledged')
    const readers = [given]
    if (isGivenUp || streams.hasLostPlace) {
      if (streams.hasLostPlace) seen.streamsWithoutPlace += 1
      else seen.streamsGivenUp += 1
      await client.close()
      readers.push(await readOn(sessionId, streams.place, given, acknowledged))
    } else {
      if (!isOpen) said('the GET stream is neither back nor given up')
      await untilGiven(acknowledged, given)
    }
    for (const { count, violations } of readers) {
      seen.messages += count
      for (const violation of violations) said(violation)
    }
    for (const absent of missing(acknowledged, ...readers)) said(absent)
    for (const refusal of streams.refusals) said(`a request was refused: ${refusal}`)
  }

  /** A reader of its own goes on where the client was. */
  async function readOn(sessionId: string, from: string | undefined, given: Delivery, acknowledged: readonly Emitted[]): Promise<Delivery> {
    const read = delivery({ inTurn: true })
    const abort = new AbortController()
    const reading = readStandalone({
      url: node.url,
      sessionId,
      from,
      signal: abort.signal,
      onMessage({ method, params }) {
        if (method === 'notifications/message') read.take(params?.data)
        news.tell()
      },
    })
    await untilGiven(acknowledged, given, read)
    abort.abort()
    await reading
    return read
  }

  async function untilGiven(acknowledged: readonly Emitted[], ...readers: readonly Delivery[]): Promise<void> {
    let next = 0
    const isAll = (): boolean => {
      for (let message = acknowledged[next]; message !== undefined; message = acknowledged[next]) {
        const sought = message
        if (!readers.some((reader) => reader.has(sought))) return false
        next += 1
      }
      return true
    }
    await news.until(isAll, 2 * retryMs + 5_000)
  }

  function said(what: string): void {
    bad(`session ${seen.sessions}, kill ${seen.kills}: ${what}`)
  }

  return {
    run,
    calls,
    firstPosts,
    returns,
    restarts,
    get kills() {
      return seen.kills
    },
    get sessions() {
      return seen.sessions
    },
    get messages() {
      return seen.messages
    },
    get restartsTooSlow() {
      return seen.restartsTooSlow
    },
    get streamsGivenUp() {
      return seen.streamsGivenUp
    },
    get streamsWithoutPlace() {
      return seen.streamsWithoutPlace
    },
  }
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
