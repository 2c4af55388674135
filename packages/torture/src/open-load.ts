import { setTimeout as after } from 'node:timers/promises'
import { SessionError } from '@mcp-session/core'
import { hostClock } from './client-requests.ts'
import type { LoopStalls } from './loop-stalls.ts'
import type { OutageReport } from './outage-report.ts'

/** The calls that are offered. */
export interface OfferedCalls {
  read(id: string): Promise<unknown>
  touch(id: string): Promise<unknown>
  update(id: string): Promise<unknown>
}

export interface OpenLoadOptions {
  readonly calls: OfferedCalls
  readonly ids: readonly string[]
  /** Calls per second. */
  readonly rate: number
  readonly callTimeoutMs: number
  readonly stalls: LoopStalls
}

type LoadFigures = Omit<OutageReport, 'stallMsMax' | 'stallMsTotal' | 'rssGrowthMb' | 'heapGrowthMb' | 'complaints'>

export interface OpenLoad {
  /** Offers nothing more; resolves once all has settled, or nothing more will. */
  end(returnedAt: number): Promise<LoadFigures>
}

const tickMs = 5
/** What a tick makes up for at most after the loop stood still; the rest is not offered. */
const longestBurst = 100
/** After its deadline a call settles within this, while the event loop runs. */
const graceMs = 100
const slotMs = 10

/** Offers calls at a rate, whether or not those before are answered: 80 % reads, 10 % touches, 10 % updates. */
export function openLoad({ calls, ids, rate, callTimeoutMs, stalls }: OpenLoadOptions): OpenLoad {
  const failures: Record<string, number> = {}
  /** By the slot of time in which a call began, when the first of those succeeded. */
  const successes = { read: new Map<number, number>(), write: new Map<number, number>() }
  const refusals: number[] = []
  let refusedLatest = 0
  let offered = 0
  let open = 0
  let mostOpen = 0
  let succeeded = 0
  let late = 0
  let latest = 0
  const began = performance.now()
  let paidUntil = began

  function offer(): void {
    const n = offered
    offered += 1
    open += 1
    if (open > mostOpen) mostOpen = open
    const id = ids[(n * 7_919) % ids.length] ?? ''
    const kind = n % 10 === 0 ? 'touch' : n % 10 === 5 ? 'update' : 'read'
    const startedAt = performance.now()
    const slot = Math.floor(hostClock() / slotMs)
    const stalledAt = stalls.totalMs()
    const settled = () => {
      open -= 1
      const took = performance.now() - startedAt - (stalls.totalMs() - stalledAt)
      const over = took - callTimeoutMs - graceMs
      if (over > 0) late += 1
      if (over > latest) latest = over
      return took
    }
    calls[kind](id).then(
      () => {
        settled()
        succeeded += 1
        const of = successes[kind === 'read' ? 'read' : 'write']
        if (!of.has(slot)) of.set(slot, hostClock())
      },
      (error: unknown) => {
        const took = settled()
        const code = SessionError.is(error) ? error.code.replace('MCP_SESSION_', '') : String(error)
        failures[code] = (failures[code] ?? 0) + 1
        if (code !== 'OVERLOADED') return
        if (kind === 'read') refusals.push(took)
        else if (took > refusedLatest) refusedLatest = took
      },
    )
  }

  async function offerAll(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      offer()
      // A refusal is told at once: it must not look late because others were offered in the same turn.
      await undefined
    }
  }

  const timer = setInterval(() => {
    const now = performance.now()
    const due = Math.floor(((now - paidUntil) * rate) / 1_000)
    paidUntil += (due * 1_000) / rate
    void offerAll(Math.min(due, longestBurst))
  }, tickMs)

  return {
    async end(returnedAt) {
      clearInterval(timer)
      const seconds = (performance.now() - began) / 1_000
      const until = performance.now() + callTimeoutMs + 2_000
      while (open > 0 && performance.now() < until) await after(20)
      refusals.sort((a, b) => a - b)
      return {
        calls: offered,
        offeredPerSecond: Math.round(offered / seconds),
        succeeded,
        failures,
        hanging: open,
        late,
        latestMs: Math.round(latest),
        refusedMsP99: rounded(refusals[Math.floor(0.99 * refusals.length)] ?? 0),
        refusedMsMax: rounded(refusals.at(-1) ?? 0),
        refusedWriteMsMax: rounded(refusedLatest),
        mostOpen,
        firstReadMs: firstAfter(successes.read, returnedAt),
        firstWriteMs: firstAfter(successes.write, returnedAt),
      }
    },
  }
}

/** Of the calls that began after the instant, how long after it the first succeeded. */
function firstAfter(successes: ReadonlyMap<number, number>, at: number): number | null {
  let first = Number.POSITIVE_INFINITY
  for (const [slot, succeededAt] of successes) if (slot * slotMs >= at) first = Math.min(first, succeededAt)
  return first === Number.POSITIVE_INFINITY ? null : Math.round(first - at)
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
