import type { SessionBackend } from '@mcp-session/core/backend'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import {
  RootsListChangedNotificationSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import type { ServerFactory } from '../src/index.ts'
import type { Counter } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { knownSession, type RawClient, rawClient, sseEvents } from './raw-client.ts'
import { onEachEngine, sharedEngines, sharedStore } from './shared-store.ts'

/** What a server was told, in order, and a way to wait for it. */
interface Told {
  readonly all: string[]
  tell(what: string): void
  until(what: string): Promise<void>
}

function told(): Told {
  const all: string[] = []
  const waiting: { what: string; resolve: () => void }[] = []
  return {
    all,
    tell(what) {
      all.push(what)
      for (const waiter of waiting) if (waiter.what === what) waiter.resolve()
    },
    until: (what) =>
      new Promise((resolve) => {
        if (all.includes(what)) resolve()
        else waiting.push({ what, resolve })
      }),
  }
}

const capabilities = { logging: {}, resources: { subscribe: true, listChanged: true }, prompts: { listChanged: true } }

function listening(major: 1 | 2, { tell }: Told, version = '1'): ServerFactory<Counter> {
  return () => {
    if (major === 1) {
      const { server } = new McpServerV1({ name: 'listening', version }, { capabilities })
      server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
        tell(params.level)
        return {}
      })
      server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
        tell(`+${params.uri}`)
        return {}
      })
      server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
        tell(`-${params.uri}`)
        return {}
      })
      server.setNotificationHandler(RootsListChangedNotificationSchema, () => tell('roots'))
      return server
    }
    const { server } = new McpServerV2({ name: 'listening', version }, { capabilities })
    server.setRequestHandler('logging/setLevel', ({ params }) => {
      tell(params.level)
      return {}
    })
    server.setRequestHandler('resources/subscribe', ({ params }) => {
      tell(`+${params.uri}`)
      return {}
    })
    server.setRequestHandler('resources/unsubscribe', ({ params }) => {
      tell(`-${params.uri}`)
      return {}
    })
    server.setNotificationHandler('notifications/roots/list_changed', () => tell('roots'))
    return server
  }
}

async function ask(client: RawClient, method: string, params: Record<string, unknown>, id: number | string = method): Promise<void> {
  const answer = await client.post({ jsonrpc: '2.0', id, method, params })
  // An answer that takes long comes as a stream.
  const isStream = answer.headers.get('content-type') === 'text/event-stream'
  const text = isStream ? (await sseEvents(answer).rest()).at(-1)?.data : await answer.text()
  expect(JSON.parse(text ?? '')).toMatchObject({ id, result: {} })
}

const deaf = ({ signals: _none, ...backend }: SessionBackend): SessionBackend => backend
const buses = [
  { bus: 'with signals alone', hear: (backend: SessionBackend) => backend, pollIntervalMs: 600_000 },
  { bus: 'with every signal dropped', hear: deaf, pollIntervalMs: 40 },
]

describe.each(onEachEngine(buses))(
  'live servers of one session on two nodes on $engine, $bus',
  { timeout: 30_000 },
  ({ engine, hear, pollIntervalMs }) => {
    async function twoNodes() {
      const store = await sharedStore(engine)
      const heard = [told(), told()] as const
      const one = await startNode(hear(store()), { pollIntervalMs, server: listening(1, heard[0]) })
      const two = await startNode(hear(store()), { pollIntervalMs, server: listening(2, heard[1]) })
      const client = await rawClient(one.url, { capabilities: { roots: { listChanged: true } } })
      const elsewhere = knownSession(two.url, client.sessionId)
      await ask(elsewhere, 'ping', {})
      return { client, elsewhere, heard }
    }

    it('hear of a log level that was set through the other node', async () => {
      const { client, elsewhere, heard } = await twoNodes()
      await ask(client, 'logging/setLevel', { level: 'error' })
      await heard[1].until('error')
      await ask(elsewhere, 'logging/setLevel', { level: 'debug' })
      await heard[0].until('debug')
      // The client of the first node goes back to what that server knew before the other one changed it.
      await ask(client, 'logging/setLevel', { level: 'error' }, 'again')
      await ask(client, 'resources/subscribe', { uri: 'mark://1' })
      await heard[1].until('+mark://1')
      expect(heard[1].all).toEqual(['error', 'debug', 'error', '+mark://1'])
      expect(heard[0].all).toEqual(['error', 'debug', 'error', '+mark://1'])
    })

    it('hear of what was set while they were being made', async () => {
      const store = await sharedStore(engine)
      const heard = told()
      const { promise: making, resolve: onFactory } = deferred<void>()
      const { promise: gate, resolve: open } = deferred<void>()
      const one = await startNode(hear(store()), { pollIntervalMs, server: listening(1, told()) })
      const two = await startNode(hear(store()), {
        pollIntervalMs,
        async server(context) {
          onFactory()
          await gate
          return listening(2, heard)(context)
        },
      })
      const client = await rawClient(one.url)
      const restored = ask(knownSession(two.url, client.sessionId), 'ping', {})
      await making
      await ask(client, 'logging/setLevel', { level: 'error' })
      open()
      await restored
      expect(heard.all).toEqual(['error'])
    })

    it('hear of subscriptions that begin and end through the other node', async () => {
      const { client, elsewhere, heard } = await twoNodes()
      await ask(client, 'resources/subscribe', { uri: 'file:///a' })
      await heard[1].until('+file:///a')
      await ask(elsewhere, 'resources/unsubscribe', { uri: 'file:///a' })
      await heard[0].until('-file:///a')
      expect(heard[0].all).toEqual(['+file:///a', '-file:///a'])
      expect(heard[1].all).toEqual(['+file:///a', '-file:///a'])
    })

    it('hear that the client’s roots have changed, each once', async () => {
      const { client, heard } = await twoNodes()
      expect((await client.post({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })).status).toBe(202)
      await heard[1].until('roots')
      await ask(client, 'resources/subscribe', { uri: 'mark://2' })
      await heard[1].until('+mark://2')
      expect(heard[0].all).toEqual(['roots', '+mark://2'])
      expect(heard[1].all).toEqual(['roots', '+mark://2'])
    })
  },
)

describe('a server whose client changes something while it reads what another node’s client has changed', () => {
  it('is told just what is new, and keeps its own', async () => {
    const next = await sharedStore('memory')
    const { backend, hold, held, release } = slowReads(next())
    const heard = told()
    const one = await startNode(backend, { server: listening(1, heard) })
    const two = await startNode(next(), { server: listening(2, told()) })
    const client = await rawClient(one.url)
    const elsewhere = knownSession(two.url, client.sessionId)
    await ask(elsewhere, 'ping', {})
    hold(client.sessionId)
    await ask(elsewhere, 'logging/setLevel', { level: 'error' })
    await held
    await ask(client, 'resources/subscribe', { uri: 'mark://own' })
    release()
    await ask(elsewhere, 'resources/subscribe', { uri: 'mark://last' }, 'last')
    await heard.until('+mark://last')
    expect(heard.all).toEqual(['+mark://own', 'error', '+mark://last'])
  })
})

/** A backend whose next read of a record, once told to hold it, gives what was there long before it settles. */
function slowReads(backend: SessionBackend) {
  const { promise: held, resolve: onHeld } = deferred<void>()
  const { promise: gate, resolve: release } = deferred<void>()
  let holding: string | undefined
  const slow: SessionBackend = {
    ...backend,
    async get(id, call) {
      const record = await backend.get(id, call)
      if (id !== holding) return record
      holding = undefined
      onHeld()
      await gate
      return record
    },
  }
  const hold = (id: string): void => {
    holding = id
  }
  return { backend: slow, hold, held, release }
}

/** Backends of several nodes; the first `list_changed` that each appends waits for the others'. */
function meeting(size: number): (backend: SessionBackend) => SessionBackend {
  const { promise: met, resolve } = deferred<void>()
  let arrived = 0
  return (backend) => {
    const { events } = backend
    if (events === undefined) throw new TypeError('the nodes need an event log')
    let isFirst = true
    return {
      ...backend,
      get info() {
        return backend.info
      },
      events: {
        ...events,
        async append(id, event, ...given) {
          if (isFirst && event.data.includes('list_changed')) {
            isFirst = false
            arrived += 1
            if (arrived === size) resolve()
            await met
          }
          return events.append(id, event, ...given)
        },
      },
    }
  }
}

describe.each(sharedEngines)(
  'a server that answers initialize otherwise than the client was told, on %s',
  { timeout: 30_000 },
  (engine) => {
    async function deploy(before: string, after: string) {
      const store = await sharedStore(engine)
      const first = await startNode(store(), { server: listening(2, told(), before) })
      const client = await rawClient(first.url)
      await first.handler.close()
      const together = meeting(2)
      const nodes = await Promise.all([1, 2].map(() => startNode(together(store()), { server: listening(2, told(), after) })))
      // Both restore the session at the same moment.
      await Promise.all(nodes.map(({ url }) => ask(knownSession(url, client.sessionId), 'ping', {})))
      const [node] = nodes
      if (node === undefined) throw new Error('there are two')
      const again = knownSession(node.url, client.sessionId)
      await ask(again, 'resources/subscribe', { uri: 'mark://3' })
      await node.handler.sessions.events?.append(
        client.sessionId,
        { key: 'mark', stream: 'standalone', data: '{"mark":true}' },
        { maxEvents: 100, maxAgeMs: 60_000, maxBytes: 1_000_000 },
      )
      const events = sseEvents(await again.get())
      const methods: unknown[] = []
      for (let event = await events.next(); event !== undefined && !event.data?.includes('mark'); event = await events.next()) {
        if (event.data !== '') methods.push(JSON.parse(event.data ?? '').method)
      }
      await events.cancel()
      return methods
    }

    it('makes the client ask anew for every list whose changes it was promised, once', async () => {
      expect(await deploy('1', '2')).toEqual(['notifications/prompts/list_changed', 'notifications/resources/list_changed'])
    })

    it('says nothing where the answer is the same', async () => {
      expect(await deploy('1', '1')).toEqual([])
    })
  },
)
