import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { RecordAnswer, RecordCall } from '@mcp-session/conformance'
import { type Call, SessionError, type SessionRecord } from '@mcp-session/core/backend'
import { answerRequests, hostClock } from './client-requests.ts'
import { callsPerWindow, idOf, idsPerWindow, type LinRequest, type LookRequest } from './lin-ids.ts'
import { type Ledger, openLedger } from './lin-ledger.ts'
import { linBugs } from './lin-plants.ts'
import { plantBug } from './planted-backend.ts'
import { seededRandom } from './random.ts'
import { whole } from './replay-history.ts'
import { backendOf } from './store-place.ts'

// A process of the harness `lin`: clients that call a backend, and note every call.

const deadlineMs = 1_000
/** What an engine that is away may cause. */
const allowed: readonly unknown[] = ['MCP_SESSION_UNAVAILABLE', 'MCP_SESSION_TIMEOUT', 'MCP_SESSION_LOCKED', 'MCP_SESSION_OVERLOADED']
const methods = ['create', 'create', 'get', 'get', 'get', 'replace', 'replace', 'replace', 'touch', 'delete'] as const

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { store: text, plant: text } })
const { store = '' } = values
const backend = plantBug(values.plant, linBugs, backendOf(store))
await backend.open()

answerRequests(async (request: LinRequest | LookRequest) => {
  if ('look' in request) return lookAt(request)
  const ledger = openLedger(request.ledger)
  await Promise.all(Array.from({ length: request.clients }, (_, number) => runClient(request, number, ledger)))
  return undefined
})

async function runClient({ name, process: own, seed, clients, calls }: LinRequest, number: number, ledger: Ledger): Promise<void> {
  const random = seededRandom(seed * clients + number)
  const known = new Map<string, string>()
  let attempts = 0
  for (let made = 0; made < calls; ) {
    const window = Math.floor(made / callsPerWindow)
    // Now and then an id of before: what was left with an unknown outcome is seen once more.
    const isBack = window > 0 && whole(random, 12) === 0
    const id = idOf(name, isBack ? whole(random, window) : window, whole(random, idsPerWindow))
    attempts += 1
    const rev = `${name}.${own}.${number}.${attempts}`
    const call: RecordCall = isBack ? { method: 'get' } : choose(random, rev, known.get(id) ?? 'never')
    const outcome = await noted(ledger, `${own}.${number}`, id, call)
    if (typeof outcome === 'object') {
      if (outcome.rev !== undefined) known.set(id, outcome.rev)
      else if (outcome.done && (call.method === 'create' || call.method === 'replace')) known.set(id, call.rev)
      made += 1
    } else {
      // Calls whose outcome is unknown make the search long: one per client and set of ids is enough.
      if (outcome === 'unknown') made = (window + 1) * callsPerWindow
      await after(1 + whole(random, 20))
    }
  }
}

function choose(random: () => number, rev: string, current: string): RecordCall {
  const method = methods[whole(random, methods.length)] ?? 'get'
  if (method === 'create') return { method, rev }
  if (method === 'replace') return { method, rev, expectedRev: current }
  if (method === 'touch') return { method, rev: current }
  if (method === 'delete') return { method, expectedRev: whole(random, 2) === 0 ? current : undefined }
  return { method }
}

/** Makes a call; its answer, or what its failure says of a write. */
async function noted(ledger: Ledger, client: string, id: string, call: RecordCall): Promise<RecordAnswer | 'none' | 'unknown'> {
  const n = ledger.begin(client, id, call, hostClock())
  try {
    const answer = await carryOut(ledger, id, call)
    ledger.end(n, answer, hostClock())
    return answer
  } catch (error) {
    const { code, outcome } = SessionError.is(error) ? error : (backend.classify(error) ?? { code: 'none of classify', outcome: 'unknown' })
    const effect = call.method === 'get' ? 'none' : outcome
    ledger.fail(n, effect, `${call.method} failed with ${code}, outcome ${effect}: ${error}`, !allowed.includes(code))
    return effect
  }
}

async function carryOut(ledger: Ledger, id: string, call: RecordCall): Promise<RecordAnswer> {
  const sent: Call = { now: Date.now(), deadlineAt: performance.now() + deadlineMs }
  switch (call.method) {
    case 'create':
      return { done: await backend.create(recordOf(id, call.rev, null), sent) }
    case 'get':
      return shown(ledger, id, await backend.get(id, sent))
    case 'replace': {
      const result = await backend.replace(recordOf(id, call.rev, call.expectedRev), call.expectedRev, sent)
      return result.replaced ? { done: true } : { ...shown(ledger, id, result.current), done: false }
    }
    case 'touch': {
      const { lastAccessedAt, expiresAt } = recordOf(id, call.rev, null)
      const result = await backend.touch({ id, rev: call.rev, lastAccessedAt: lastAccessedAt + 1, expiresAt }, sent)
      return { done: result === 'touched', moved: result === 'moved' }
    }
    case 'delete':
      return { done: await backend.delete(id, call.expectedRev, sent) }
  }
}

/** A rev stands for its content: whoever sees one sees the other. */
function shown(ledger: Ledger, id: string, record: SessionRecord | undefined): RecordAnswer {
  if (record === undefined) return { done: false }
  if (record.id !== id || record.data !== dataOf(id, record.rev))
    ledger.wrong(`${id} was asked for; ${record.id} of rev ${record.rev} came`)
  return { done: true, rev: record.rev }
}

function recordOf(id: string, rev: string, prevRev: string | null): SessionRecord {
  const now = Date.now()
  const never = Number.POSITIVE_INFINITY
  const times = { createdAt: now, lastAccessedAt: now, ttlMs: 3_600_000, mustEndAt: never, expiresAt: now + 3_600_000 }
  return { id, rev, prevRev, owner: 'lin', ...times, data: dataOf(id, rev) }
}

function dataOf(id: string, rev: string): string {
  return `${id} ${rev} `.repeat(4)
}

async function lookAt({ look, ledger: path }: LookRequest): Promise<void> {
  const ledger = openLedger(path)
  for (const id of look) {
    while (typeof (await noted(ledger, 'last', id, { method: 'get' })) !== 'object') await after(10)
  }
}
