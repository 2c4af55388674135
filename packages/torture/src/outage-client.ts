import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openSessions } from '@mcp-session/core'
import { answerRequests } from './client-requests.ts'
import { loopStalls } from './loop-stalls.ts'
import { openLoad } from './open-load.ts'
import { outageBugs, plantedCalls } from './outage-plants.ts'
import type { OutageReport, OutageRequest } from './outage-report.ts'
import { plantBug } from './planted-backend.ts'
import { backendOf } from './store-place.ts'

// A process of the harness `outage`: it offers calls, whatever becomes of the engine.

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { store: text, plant: text, timeout: text } })
const { store = '', plant, timeout = '5000' } = values
const sessionCount = 200

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const complaints: string[] = []
process.on('unhandledRejection', (reason) => complaints.push(`unhandled rejection: ${reason}`))
process.on('uncaughtException', (error) => complaints.push(`uncaught: ${error.stack}`))
process.on('warning', (warning) => complaints.push(`warning: ${warning}`))

const callTimeoutMs = Number(timeout)
const backend = plantBug(plant !== undefined && plant in outageBugs ? plant : undefined, outageBugs, backendOf(store))
const sessions = await openSessions({
  backend,
  callTimeoutMs,
  ...(plant === 'unbounded' ? { maxInFlight: 1_000_000 } : {}),
  // Background work fails during an outage: it may say so, once for each pass or touch.
  onError() {},
})
const stalls = loopStalls()
let load: ReturnType<typeof openLoad> | undefined
const memory = { peak: 0, marked: 0, heapMarked: 0 }
const sampler = setInterval(() => {
  memory.peak = Math.max(memory.peak, process.memoryUsage.rss())
}, 100)

answerRequests(async (request: OutageRequest): Promise<unknown> => {
  switch (request.do) {
    case 'begin': {
      const ids: string[] = []
      for (let count = 0; count < sessionCount; count += 1) ids.push((await sessions.create({ n: 0 }, { ttlMs: 3_600_000 })).id)
      load = openLoad({ calls: plantedCalls(plant, sessions), ids, rate: request.rate, callTimeoutMs, stalls })
      return undefined
    }
    case 'mark':
      collect()
      memory.heapMarked = process.memoryUsage().heapUsed
      memory.marked = Math.max(memory.peak, process.memoryUsage.rss())
      memory.peak = 0
      return undefined
    case 'finish':
      return report(request.returnedAt)
  }
})

async function report(returnedAt: number): Promise<OutageReport> {
  clearInterval(sampler)
  const peak = memory.peak
  const figures = await load?.end(returnedAt)
  if (figures === undefined) throw new Error('no load was begun')
  await after(50)
  stalls.end()
  collect()
  return {
    ...figures,
    stallMsMax: Math.round(stalls.longestMs()),
    stallMsTotal: Math.round(stalls.totalMs()),
    rssGrowthMb: megabytes(Math.max(0, peak - memory.marked)),
    heapGrowthMb: megabytes(process.memoryUsage().heapUsed - memory.heapMarked),
    complaints,
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 104_857.6) / 10
}
