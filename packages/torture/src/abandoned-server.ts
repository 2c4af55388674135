// The module that counts timers may come last: none is set before all are loaded.
import { createServer, type IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type AuthInfo, createSessionHandler, type ServerFactory } from '@mcp-session/http'
import { createNews, listenOnLoopback } from '@mcp-session/test-processes'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import type { Inventory, InventoryAnswer, InventoryRequest } from './abandoned-inventory.ts'
import { plantOf } from './abandoned-plants.ts'
import { pendingTimers } from './abandoned-timers.ts'
import { backendOf } from './store-place.ts'

/** The server whose clients vanish. It counts what it holds, and its clock goes as it is told. */
const { values } = parseArgs({
  options: {
    /** For `backendOf`. */
    store: { type: 'string', default: '' },
    'live-idle': { type: 'string', default: '2000' },
    /** How long what is to close is waited for. */
    patience: { type: 'string', default: '30000' },
    plant: { type: 'string' },
  },
})
const withinMs = Number(values.patience)
/** Longer than an answer is waited for: the response becomes a stream. */
const slowMs = 150
const backend = backendOf(values.store)
const news = createNews()
let clock = Date.now()
let made = 0
let live = 0
let streams = 0
let sockets = 0

const makeServer: ServerFactory = () => {
  made += 1
  live += 1
  const server = made % 2 === 0 ? serverV1() : serverV2()
  server.server.onclose = () => {
    live -= 1
    news.tell()
  }
  return server
}
const plant = plantOf(values.plant, backend, makeServer)

const handler = await createSessionHandler({
  backend,
  principal: ({ authInfo }) => authInfo && [authInfo.extra?.['iss'], authInfo.extra?.['sub'], authInfo.clientId],
  server: plant.factory?.(makeServer) ?? makeServer,
  now: () => clock,
  liveIdleMs: Number(values['live-idle']),
  cleanupIntervalMs: 0,
  // Of a size of its own, it is no part of what a session takes: few sessions are to show what many do.
  cacheBytes: 1_048_576,
})

const http = createServer(async (req: IncomingMessage & { auth?: AuthInfo }, res) => {
  const { 'x-principal': sub } = req.headers
  if (typeof sub === 'string') req.auth = { token: 'unused', clientId: 'abandoned', scopes: [], extra: { iss: 'harness', sub } }
  streams += 1
  try {
    await (plant.answer?.(req, res, handler) ?? handler.node(req, res))
  } finally {
    streams -= 1
    news.tell()
  }
})
http.on('connection', (socket) => {
  sockets += 1
  socket.once('close', () => {
    sockets -= 1
    news.tell()
  })
})
// A connection that the server closes just when its client sends would be a failure of neither.
http.keepAliveTimeout = 0
const { port } = await listenOnLoopback(http)
console.log(`listening on ${port}`)

process.on('message', (request: InventoryRequest) => {
  void answer(request)
})

async function answer({ number, advanceMs, cleanUp }: InventoryRequest): Promise<void> {
  clock += advanceMs
  if (cleanUp) {
    await handler.sessions.cleanupExpired()
    plant.onCleanUp?.()
  }
  http.closeIdleConnections()
  await news.until(() => sockets === 0 && streams === 0 && live === 0, withinMs)
  const reply: InventoryAnswer = { number, inventory: await takeInventory() }
  process.send?.(reply)
}

async function takeInventory(): Promise<Inventory> {
  const records = await countRecords()
  for (let pass = 0; pass < 4; pass += 1) {
    await nextTurn()
    globalThis.gc?.()
  }
  const { heapUsed, external } = process.memoryUsage()
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    madeServers: made,
    liveServers: live,
    timers: pendingTimers(),
    listeners: [process, http].flatMap((emitter) => emitter.eventNames().map((name) => emitter.listenerCount(name))).reduce(sum, 0),
    streams,
    sockets,
    resources: counted(process.getActiveResourcesInfo()),
    records,
  }
}

/** Of every kind, also those that no store lists. */
async function countRecords(): Promise<Record<string, number>> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const query = { limit: 1_000, data: false, ...(cursor === undefined ? {} : { cursor }) }
    const page = await backend.list(query, { now: clock, deadlineAt: performance.now() + 30_000 })
    for (const { id } of page.records) ids.push(id)
    cursor = page.cursor
  } while (cursor !== undefined)
  return counted(ids.map((id) => id.slice(0, id.indexOf('_'))))
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function sum(one: number, other: number): number {
  return one + other
}

function serverV1(): McpServerV1 {
  const server = new McpServerV1({ name: 'abandoned', version: '1' }, { capabilities: { logging: {} } })
  server.registerTool('nothing', {}, () => ({ content: [] }))
  server.registerTool('slow', {}, async () => {
    await server.server.sendLoggingMessage({ level: 'info', data: 'a message of no call' })
    await pause(slowMs)
    return { content: [] }
  })
  return server
}

function serverV2(): McpServerV2 {
  const server = new McpServerV2({ name: 'abandoned', version: '1' }, { capabilities: { logging: {} } })
  server.registerTool('nothing', {}, () => ({ content: [] }))
  server.registerTool('slow', {}, async () => {
    await server.server.sendLoggingMessage({ level: 'info', data: 'a message of no call' })
    await pause(slowMs)
    return { content: [] }
  })
  return server
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
