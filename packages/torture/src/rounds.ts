import { missing } from './delivery.ts'
import { spread } from './figures.ts'
import type { Outcome, Trial } from './harness.ts'
import type { NodesClient } from './nodes-client.ts'

const countsPerRound = 20
const messagesPerRound = 10
/** A message that takes longer is taken for lost. */
const withinMs = 15_000

/** Counts and sends messages through both nodes at once: no count is lost or given twice, and each message comes once, in its node's order. */
export async function countAndNotify(trial: Trial, clients: readonly NodesClient[]): Promise<Outcome> {
  const callTimes: number[] = []
  const deliveryTimes: number[] = []
  const counters = new Map<NodesClient, number>()
  const sent = new Map<NodesClient, { incarnation: number; n: number }[]>()
  let tried = 0

  async function timed(client: NodesClient, name: string): Promise<string> {
    const since = performance.now()
    const text = await client.client.call(name)
    callTimes.push(performance.now() - since)
    return text
  }

  async function round(client: NodesClient): Promise<void> {
    const before = counters.get(client) ?? 0
    const counting = Array.from({ length: countsPerRound }, () => timed(client, 'count'))
    const sending = Array.from({ length: messagesPerRound }, () => timed(client, 'notify'))
    const counts = (await Promise.all(counting)).map(Number).sort((one, other) => one - other)
    const wanted = counts.map((_, index) => before + index + 1)
    if (counts.join() !== wanted.join()) trial.bad(`round ${tried + 1}, ${client.name}: counted ${counts.join()}, not ${wanted.join()}`)
    counters.set(client, Math.max(before, ...counts))

    const messages = sent.get(client) ?? []
    sent.set(client, messages)
    for (const answer of await Promise.all(sending)) {
      const [incarnation, n] = answer.split(' ').map(Number)
      messages.push({ incarnation: incarnation ?? 0, n: n ?? 0 })
    }
    const since = performance.now()
    const newest = messages.slice(-messagesPerRound)
    await client.news.until(() => newest.every(client.given.has), withinMs)
    deliveryTimes.push(performance.now() - since)
  }

  while (tried < trial.tries && !trial.isOver()) {
    const client = clients[tried % clients.length]
    if (client !== undefined) await round(client)
    tried += 1
    trial.progress(tried)
  }
  for (const client of clients) {
    const { given, name } = client
    for (const what of [...given.violations, ...missing(sent.get(client) ?? [], given)]) trial.bad(`${name}: ${what}`)
  }
  return { tried, measured: { ...spread('callMs', callTimes), ...spread('deliveryMs', deliveryTimes) } }
}
