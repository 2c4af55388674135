import type { SessionBackend } from '@mcp-session/core/backend'
import type { Client } from '@modelcontextprotocol/client'
import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { connectModern, startModernNode } from './modern-nodes.ts'
import { onEachEngine, sharedStore } from './shared-store.ts'

function buildServer(): McpServer {
  return new McpServer(
    { name: 'changing', version: '1' },
    { capabilities: { tools: { listChanged: true }, resources: { listChanged: true, subscribe: true } } },
  )
}

/** The change notifications that a client gets, one after the other. */
function changes(client: Client): () => Promise<string> {
  const known: string[] = []
  const readers: ((change: string) => void)[] = []
  const put = (change: string): void => {
    const reader = readers.shift()
    if (reader === undefined) known.push(change)
    else reader(change)
  }
  client.setNotificationHandler('notifications/tools/list_changed', () => put('tools'))
  client.setNotificationHandler('notifications/resources/list_changed', () => put('resources'))
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => put(params.uri))
  return () =>
    new Promise((resolve) => {
      const change = known.shift()
      if (change === undefined) readers.push(resolve)
      else resolve(change)
    })
}

function withoutSignals(backend: SessionBackend): SessionBackend {
  const { signals: _dropped, ...deaf } = backend
  return deaf
}

const ways = [
  { way: 'with signals alone', hear: (backend: SessionBackend) => backend, pollIntervalMs: 600_000 },
  { way: 'with every signal dropped', hear: withoutSignals, pollIntervalMs: 40 },
]

describe.each(onEachEngine(ways))(
  'subscriptions/listen of SDK v2 on two nodes on $engine, $way',
  { timeout: 30_000 },
  ({ engine, hear, pollIntervalMs }) => {
    it('hears what the other node notifies of, and only what it asked for', async () => {
      const next = await sharedStore(engine)
      const one = await startModernNode(hear(next()), buildServer, { pollIntervalMs })
      const two = await startModernNode(hear(next()), buildServer, { pollIntervalMs })
      const [here, there] = [await connectModern(one.url), await connectModern(two.url)]
      const [nextHere, nextThere] = [changes(here), changes(there)]
      const filter = { toolsListChanged: true, resourceSubscriptions: ['test://mine'] }
      const open = [await here.listen(filter), await there.listen(filter)]
      one.handler.notify.resourcesChanged()
      one.handler.notify.resourceUpdated('test://other')
      one.handler.notify.resourceUpdated('test://mine')
      one.handler.notify.toolsChanged()
      for (const heard of [nextHere, nextThere]) expect([await heard(), await heard()]).toEqual(['test://mine', 'tools'])
      two.handler.notify.resourceUpdated('test://mine')
      expect([await nextThere(), await nextHere()]).toEqual(['test://mine', 'test://mine'])
      for (const subscription of open) await subscription.close()
    })
  },
)
