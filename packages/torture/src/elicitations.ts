import { setTimeout as after } from 'node:timers/promises'
import { spread } from './figures.ts'
import type { Outcome, Trial } from './harness.ts'
import type { NodesClient } from './nodes-client.ts'

/** Elicitations under way at the same time. */
const atOnce = 50
/** An answer that takes longer is taken for lost. With every signal dropped it takes a polling interval or two. */
const withinMs = 15_000

/** Calls a tool that asks the client's user, again and again: each call must be answered with what was said to its own question. */
export async function elicitAll(trial: Trial, clients: readonly NodesClient[]): Promise<Outcome> {
  const times: number[] = []
  let begun = 0
  let tried = 0

  async function lane(): Promise<void> {
    while (begun < trial.tries && !trial.isOver()) {
      const chosen = clients[begun % clients.length]
      begun += 1
      const word = `${begun}.${Math.floor(trial.random() * 2 ** 32).toString(36)}`
      if (chosen !== undefined) await elicitOnce(chosen, word, trial.random() < 0.5 ? 'call' : 'stream')
      tried += 1
      trial.progress(tried)
    }
  }

  async function elicitOnce({ name, client }: NodesClient, word: string, on: 'call' | 'stream'): Promise<void> {
    const what = `elicitation ${word} of ${name} on its ${on === 'call' ? 'call’s' : 'standalone'} stream`
    const since = performance.now()
    const abort = new AbortController()
    const late = after(withinMs, undefined, { signal: abort.signal }).then(
      () => undefined,
      () => undefined,
    )
    try {
      const answer = await Promise.race([client.call('ask', { word, on }), late])
      if (answer === undefined) trial.bad(`${what} had no answer within ${withinMs} ms`)
      else if (answer !== `accept ${name} heard ${word}`) trial.bad(`${what} was answered: ${answer}`)
      times.push(performance.now() - since)
    } catch (error) {
      trial.bad(`${what} failed: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      abort.abort()
    }
  }

  await Promise.all(Array.from({ length: Math.min(atOnce, trial.tries) }, lane))
  for (const { name, questions } of clients) {
    const put = new Set<string>()
    for (const question of questions) {
      if (put.has(question)) trial.bad(`${name} was asked ${question} twice`)
      put.add(question)
    }
  }
  return { tried, measured: spread('elicitationMs', times) }
}
