import { createHash } from 'node:crypto'
import type { Call } from '@mcp-session/core/backend'
import type { Cluster, Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import { RedisFault } from './redis-errors.ts'
import { sendOnce } from './send.ts'
import { infoOf } from './server-info.ts'

/** The masters, in an order of their own, and a mark that changes when one of them is another process or has other slots. */
export interface Topology {
  readonly masters: readonly Redis[]
  readonly mark: string
}

export async function topology({ cluster, masters: known }: Connection, call: Call): Promise<Topology> {
  const slots = cluster === undefined ? '' : rangesOf(cluster)
  const masters = cluster === undefined ? known() : await mastersOf(cluster)
  const runs = await Promise.all(masters.map(async (master) => ({ master, run: await runOf(master, call) })))
  runs.sort((one, other) => (one.run < other.run ? -1 : 1))
  const mark = createHash('sha256')
    .update(JSON.stringify([runs.map(({ run }) => run), slots]))
    .digest('base64url')
    .slice(0, 8)
  return { masters: runs.map(({ master }) => master), mark }
}

/** The master that has a slot, as far as the client knows. */
export function masterOf(client: Cluster, slot: number): Redis | undefined {
  const address = client.slots[slot]?.[0]
  return client.nodes('all').find(({ options: { host, port } }) => `${host}:${port}` === address)
}

/** One for every slot: a listing without one of them would look complete. The client forgets nodes whose connection has ended. */
async function mastersOf(client: Cluster): Promise<Redis[]> {
  const found = knownMasters(client)
  if (!found.includes(undefined) && found.length > 0) return found.filter((master) => master !== undefined)
  await new Promise<void>((resolve) => {
    client.refreshSlotsCache(() => resolve())
  })
  const masters = knownMasters(client).filter((master) => master !== undefined)
  if (masters.length > 0 && masters.length === knownMasters(client).length) return masters
  throw new RedisFault('unsent', 'Not all masters of the cluster can be reached now: nothing was asked')
}

function knownMasters(client: Cluster): (Redis | undefined)[] {
  const firstSlots = new Map<string, number>()
  for (const [slot, [address = '']] of [...client.slots].map((owners) => owners ?? []).entries()) {
    if (!firstSlots.has(address)) firstSlots.set(address, slot)
  }
  return [...firstSlots.values()].map((slot) => masterOf(client, slot))
}

/** "<first slot>=<address>" wherever the owner changes. */
function rangesOf(client: Cluster): string {
  let last: string | undefined
  let text = ''
  for (let slot = 0; slot < client.slots.length; slot += 1) {
    const owner = client.slots[slot]?.[0]
    if (owner !== last) text += `${slot}=${owner};`
    last = owner
  }
  return text
}

async function runOf(master: Redis, { deadlineAt }: Call): Promise<string> {
  return infoOf(String(await sendOnce(master, { name: 'info', args: ['server'], deadlineAt })))['run_id'] ?? ''
}
