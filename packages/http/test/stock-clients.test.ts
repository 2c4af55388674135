import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { connectClient } from './mcp-clients.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { startNode } from './nodes.ts'
import { knownSession, type RawClient } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

// A stock client tries twice to get its line back, and gives up: by then the next node must have opened its store.
const pairs = [
  { server: 1, client: 1, engine: 'memory', retryMs: 50 },
  { server: 1, client: 2, engine: 'sqlite', retryMs: 500 },
  { server: 2, client: 1, engine: 'sqlite', retryMs: 500 },
  { server: 2, client: 2, engine: 'memory', retryMs: 50 },
  { server: 2, client: 1, engine: 'redis', retryMs: 2_000 },
  { server: 1, client: 2, engine: 'postgres', retryMs: 2_000 },
] as const

describe.each(pairs)(
  'SDK v$client client, SDK v$server server, $engine',
  { timeout: 30_000 },
  ({ server, client: major, engine, retryMs }) => {
    it('keeps the session, its counter and the handshake when another node takes over', async () => {
      const store = await sharedStore(engine)
      const options = { server: serverFactory(server) }
      const first = await startNode(store(), options)
      const client = await connectClient(major, first.url)
      const { sessionId } = client
      expect(await client.call('count')).toBe('1')
      expect(await client.call('count')).toBe('2')

      await first.handler.close()
      await first.close()
      await startNode(store(), { ...options, port: first.port })

      expect(await client.call('count')).toBe('3')
      expect(client.sessionId).toBe(sessionId)
      expect(JSON.parse(await client.call('client'))).toEqual({ name: 'stock', version: '7' })
      await client.close()
    })

    it('delivers what was stored while the line was cut, once, after the other node took over', async () => {
      const store = await sharedStore(engine)
      const options = { server: serverFactory(server), retryMs }
      const first = await startNode(store(), options)
      const client = await connectClient(major, first.url)
      await client.call('notify', { word: 'before' })
      expect(await client.nextLog()).toBe('before')

      await first.close()
      const other = await startNode(store(), options)
      await rawClientOf(other.url, client.sessionId).call('notify', { word: 'amber' })
      await startNode(store(), { ...options, port: first.port })

      expect(await client.nextLog()).toBe('amber')
      await client.call('notify', { word: 'after' })
      expect(await client.nextLog()).toBe('after')
      expect(client.logs).toEqual(['before', 'amber', 'after'])
      await client.close()
    })

    it('delivers what was stored while the line was cut to a client that had seen no message yet', async () => {
      const store = await sharedStore(engine)
      const options = { server: serverFactory(server), retryMs }
      const first = await startNode(store(), options)
      const { promise: primed, resolve: onPrimed } = deferred<void>()
      const client = await connectClient(major, first.url, onPrimed)
      await primed

      await first.close()
      const other = await startNode(store(), options)
      await rawClientOf(other.url, client.sessionId).call('notify', { word: 'unseen' })
      await startNode(store(), { ...options, port: first.port })

      expect(await client.nextLog()).toBe('unseen')
      await client.close()
    })

    it('resumes a call whose connection was cut, with all of its progress', async () => {
      const holds: Holds = new Map()
      const store = await sharedStore(engine)
      const node = await startNode(store(), { server: serverFactory(server, { holds }) })
      const client = await connectClient(major, node.url)
      const progress: unknown[] = []
      const { promise: underway, resolve: start } = deferred<void>()
      const answer = client.call(
        'hold',
        { word: 'cut' },
        {
          onprogress: ({ message }) => {
            progress.push(message)
            start()
          },
        },
      )
      await underway
      node.cut()
      holds.get('cut')?.()
      expect(await answer).toBe('cut')
      expect(progress).toEqual(['cut'])
      await client.close()
    })

    it('answers 404 after DELETE', async () => {
      const store = await sharedStore(engine)
      const node = await startNode(store(), { server: serverFactory(server) })
      const client = await connectClient(major, node.url)
      const { sessionId } = client
      await client.call('count')
      await client.terminate()
      const raw = rawClientOf(node.url, sessionId)
      expect((await raw.call('count')).status).toBe(404)
      expect((await raw.get()).status).toBe(404)
      expect((await raw.delete()).status).toBe(404)
      await client.close()
    })

    it('asks the client, and gets the answer', async () => {
      const store = await sharedStore(engine)
      const node = await startNode(store(), { server: serverFactory(server) })
      const client = await connectClient(major, node.url)
      expect(await client.call('ask', { word: 'roots:' })).toBe('roots: file:///root')
      await client.close()
    })
  },
)

function rawClientOf(url: URL, sessionId: string | undefined): RawClient {
  if (sessionId === undefined) throw new Error('the client has no session')
  return knownSession(url, sessionId)
}
