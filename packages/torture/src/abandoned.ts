import { type RunningNode, startNode } from '@mcp-session/test-processes'
import { type Abandoners, abandoners } from './abandoned-clients.ts'
import { type Inventory, type InventoryAnswer, type InventoryRequest, leftovers } from './abandoned-inventory.ts'
import type { Harness, Outcome, Trial } from './harness.ts'
import { startStore } from './running-store.ts'

const warmUps = 2_000
const stockPer = 200
const inFlight = 16
const liveIdleMs = 2_000
/** Beyond the idle window of a session, which is a day. */
const expiryMs = 25 * 3_600_000
const dormantBar = 2_048
const unknownIds = 100

/** `plant` names a leak for the server, for a test. */
export function abandoned(plant?: string): Harness {
  return {
    name: 'abandoned',
    about: 'clients that initialize and vanish: when their sessions have expired, nothing is left of them in the process or the store',
    backends: ['sqlite', 'memory', 'redis', 'postgres'],
    variants: ['v1+v2'],
    tries: 100_000,
    run: (trial) => run(trial, plant),
  }
}

async function run(trial: Trial, plant: string | undefined): Promise<Outcome> {
  await using store = await startStore(trial.backend, { durable: false })
  // What a leak keeps open is not worth waiting for.
  const planted = plant === undefined ? [] : ['--plant', plant, '--patience', '2000']
  await using node = await startNode({
    script: new URL('./abandoned-server.ts', import.meta.url),
    args: ['--store', store.place, '--live-idle', String(liveIdleMs), ...planted],
    env: { NODE_OPTIONS: '--expose-gc' },
    ready: /listening on \d+/,
  })
  const port = Number(/\d+$/.exec(node.readyLine)?.[0])
  const server = asked(node)

  await wave(port, 'warm-up', Math.min(warmUps, trial.tries), { isOver: () => false, progress() {} })
  const start = await server.inventory(expiryMs, true)
  const tried = await wave(port, 'client', trial.tries, trial)

  // Their live servers close, their sessions are there.
  const dormant = await server.inventory(liveIdleMs, false)
  const sessions = dormant.records['s'] ?? 0
  const dormantBytes = Math.round((dormant.heapBytes - start.heapBytes) / sessions)
  if (sessions < tried) trial.bad(`${sessions} sessions are in the store, of ${tried} that were made`)
  if (trial.backend === 'sqlite' && !(dormantBytes <= dormantBar)) trial.bad(`a dormant session takes ${dormantBytes} bytes`)
  if (dormant.liveServers > 0) trial.bad(`${dormant.liveServers} servers of dormant sessions have not closed`)

  if (dormant.streams > 0) trial.bad(`${dormant.streams} responses to clients that have vanished are open`)

  const end = await server.inventory(expiryMs, true)
  for (const what of leftovers(start, end)) trial.bad(what)
  await tryUnknown(port, trial)
  const after = await server.inventory(0, true)
  const made = after.madeServers - end.madeServers
  if (made > 0) trial.bad(`${made} servers were made for unknown ids`)
  for (const what of leftovers(end, after)) trial.bad(`after unknown ids ${what}`)
  if (node.stderr() !== '') trial.bad(`the server says ${node.stderr().slice(0, 500)}`)
  return {
    tried,
    measured: { sessions, dormantBytes, startMb: mb(start), dormantMb: mb(dormant), endMb: mb(end), servers: end.madeServers },
  }
}

/** Stock clients first, then the raw ones; all have vanished when it resolves. How many raw ones there were. */
async function wave(port: number, name: string, count: number, { isOver, progress }: Pick<Trial, 'isOver' | 'progress'>): Promise<number> {
  using clients = abandoners(port, name)
  await inTurn(Math.ceil(count / stockPer), clients.stock, isOver)
  return await inTurn(count, clients.raw, isOver, progress)
}

async function tryUnknown(port: number, trial: Trial): Promise<void> {
  using clients: Abandoners = abandoners(port, 'stranger')
  for (let index = 0; index < unknownIds; index += 1) {
    const statuses = await clients.unknown(index)
    if (statuses.some((status) => status !== 404)) trial.bad(`an unknown id is answered with ${statuses.join(', ')}`)
  }
}

async function inTurn(
  count: number,
  act: (index: number) => Promise<void>,
  isOver: () => boolean,
  progress: (done: number) => void = () => {},
): Promise<number> {
  let begun = 0
  let done = 0
  async function one(): Promise<void> {
    while (begun < count && !isOver()) {
      begun += 1
      await act(begun)
      done += 1
      progress(done)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return done
}

function asked(node: RunningNode): { inventory(advanceMs: number, cleanUp: boolean): Promise<Inventory> } {
  let count = 0
  return {
    async inventory(advanceMs, cleanUp) {
      count += 1
      const number = count
      node.send({ number, advanceMs, cleanUp } satisfies InventoryRequest)
      const answer = await node.message((message): message is InventoryAnswer => isAnswer(message) && message.number === number, 180_000)
      return answer.inventory
    },
  }
}

function isAnswer(message: unknown): message is InventoryAnswer {
  return typeof message === 'object' && message !== null && 'inventory' in message
}

function mb({ heapBytes }: Inventory): number {
  return Math.round(heapBytes / 1e5) / 10
}
