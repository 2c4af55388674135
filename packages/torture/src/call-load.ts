import type { News } from '@mcp-session/test-processes'
import type { StockClient } from './stock-client.ts'

/** Calls that one client has under way all the time, and the laws that hold for each of them. */
export interface CallLoad {
  /** Begins calls, and a new one whenever one ends. */
  resume(): void
  /** Begins none. */
  pause(): void
  /** The server dies now: marks the calls under way. */
  hit(): void
  /** Whether the stream of every call that a kill hit, and that has not ended, is back or lost for good. */
  isBack(): boolean
  /** Calls the counting tool, once. The answer must be one that no call was given. */
  count(): Promise<void>
  /** Begins no more, and waits until every call has ended or its stream was given up by the client. What ends later is not judged. */
  settle(withinMs: number): Promise<void>
}

/** What is counted over all loads of a run. */
export interface CallTally {
  calls: number
  /** Under way at a kill. */
  hit: number
  /** Of those: how many ended with a result all the same. */
  hitResults: number
  /** From the kill to the end, in ms. */
  readonly hitTimes: number[]
  /** Streams of calls that the client gave up after two refusals, and the calls with them. */
  givenUp: number
  /** Streams of calls of whose last connection the client had read nothing when it broke: it cannot come back for them. */
  placeless: number
}

export interface CallLoadOptions {
  readonly client: StockClient
  readonly tally: CallTally
  readonly random: () => number
  readonly news: News
  /** Bar from a kill to the end of a call, in ms. */
  readonly withinMs: number
  /** Whether that is from the first kill that hit the call, or from the last one. */
  readonly since: 'first' | 'last'
  readonly bad: (what: string) => void
}

interface Running {
  readonly word: string
  hitAt: number | undefined
}

const workers = 3
/** A slow call takes that long at most, in ms. */
const longestMs = 2_000

export function callLoad({ client, tally, random, news, withinMs, since, bad }: CallLoadOptions): CallLoad {
  const running = new Set<Running>()
  let highest = 0
  let attempts = 0
  let isPaused = true
  let isOver = false
  let begun = 0

  async function work(): Promise<void> {
    begun += 1
    tally.calls += 1
    const call: Running = { word: `${begun}.${Math.floor(random() * 2 ** 32).toString(36)}`, hitAt: undefined }
    running.add(call)
    let steps = 0
    try {
      const ms = Math.floor(random() * longestMs)
      const onStep = (step: number): void => {
        steps += 1
        if (step !== steps) bad(`call ${call.word} was told of step ${step} where ${steps} was due`)
      }
      const text = await client.call('work', { word: call.word, ms }, { onStep })
      if (text !== call.word) bad(`call ${call.word} got the answer ${text}`)
      ended(call, true)
    } catch (error) {
      if (call.hitAt === undefined && !isOver) bad(`call ${call.word}, which no kill hit, failed: ${told(error)}`)
      ended(call, false)
    }
    // One that a kill hit was replaced when the server was back.
    if (!isPaused && call.hitAt === undefined) void work()
  }

  function ended(call: Running, isResult: boolean): void {
    running.delete(call)
    news.tell()
    if (call.hitAt === undefined || isOver) return
    const took = performance.now() - call.hitAt
    // Then it is the client's own time limit that ended it.
    if (took > withinMs && isLost(call)) {
      tallyLost(call)
      return
    }
    tally.hitTimes.push(took)
    if (isResult) tally.hitResults += 1
    if (took > 2 * withinMs) bad(`call ${call.word} ended ${Math.round(took)} ms after the kill: ${client.streams.story(call.word)}`)
  }

  function isLost({ word }: Running): boolean {
    return client.streams.givenUp(word) !== undefined
  }

  function tallyLost({ word }: Running): void {
    if (client.streams.givenUp(word) === 'refused') tally.givenUp += 1
    else tally.placeless += 1
  }

  return {
    resume() {
      isPaused = false
      const unhit = [...running].filter(({ hitAt }) => hitAt === undefined)
      for (let missing = workers - unhit.length; missing > 0; missing -= 1) void work()
    },
    pause() {
      isPaused = true
    },
    hit() {
      for (const call of running) {
        if (call.hitAt === undefined) tally.hit += 1
        if (call.hitAt === undefined || since === 'last') call.hitAt = performance.now()
      }
    },
    isBack() {
      return [...running].every((call) => call.hitAt === undefined || client.streams.isOpen(call.word) || isLost(call))
    },
    async count() {
      attempts += 1
      const least = highest
      const value = Number(await client.call('count'))
      if (!(value > least && value <= attempts)) bad(`the counter was ${value} after it had been ${least}, in ${attempts} attempts`)
      highest = Math.max(highest, value)
    },
    async settle(bound) {
      isPaused = true
      await news.until(() => [...running].every(isLost), bound)
      for (const call of running) {
        if (isLost(call)) tallyLost(call)
        else bad(`call ${call.word} had no end within ${bound} ms: ${client.streams.story(call.word)}`)
      }
      isOver = true
    },
  }
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
