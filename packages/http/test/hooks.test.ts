import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import type { SessionHooks } from '../src/index.ts'
import { holdingNode, startNode } from './nodes.ts'
import { knownSession, rawClient, sseEvents } from './raw-client.ts'
import { sharedStore } from './shared-store.ts'

/** Hooks that write down what they are told. */
function diary(): { hooks: SessionHooks; told: unknown[] } {
  const told: unknown[] = []
  const write =
    (hook: string) =>
    (event: { sessionId: string }): number =>
      told.push([hook, event])
  const names = ['created', 'restored', 'expired', 'terminated', 'orphaned', 'trimmed'] as const
  return { told, hooks: Object.fromEntries(names.map((name) => [name, write(name)])) }
}

describe('hooks', () => {
  it('are told of a session’s birth, its restoration on another node, and its end by DELETE, each once', async () => {
    const store = await sharedStore('memory')
    const first = diary()
    const second = diary()
    const principal = () => ['issuer', 'alice', 'client']
    const one = await startNode(store(), { hooks: first.hooks, principal })
    const two = await startNode(store(), { hooks: second.hooks, principal })
    const client = await rawClient(one.url)
    await client.call('count')
    const elsewhere = knownSession(two.url, client.sessionId)
    await Promise.all([elsewhere.call('count', {}, 1), elsewhere.call('count', {}, 2)])
    await elsewhere.delete()
    expect((await client.call('count')).status).toBe(404)
    const session = { sessionId: client.sessionId, owner: '["issuer","alice","client"]' }
    expect(first.told).toEqual([['created', session]])
    expect(second.told).toEqual([
      ['restored', session],
      ['terminated', { ...session, by: 'client' }],
    ])
  })

  it('tell who has ended a session', async () => {
    const { hooks, told } = diary()
    const node = await startNode(memoryBackend(), { hooks })
    const own = await rawClient(node.url)
    await (await own.call('end')).text()
    const deleted = await rawClient(node.url)
    await node.handler.sessions.delete(deleted.sessionId)
    const consumed = await rawClient(node.url)
    await node.handler.sessions.consume(consumed.sessionId)
    expect(await node.handler.sessions.delete(consumed.sessionId)).toBe(false)
    expect(told.filter((entry) => Array.isArray(entry) && entry[0] === 'terminated')).toEqual([
      ['terminated', { sessionId: own.sessionId, owner: null, by: 'server' }],
      ['terminated', { sessionId: deleted.sessionId, owner: null, by: 'application' }],
      ['terminated', { sessionId: consumed.sessionId, owner: null, by: 'application' }],
    ])
  })

  it('are told of a GET stream that goes on behind what retention has taken', async () => {
    const { hooks, told } = diary()
    const node = await holdingNode({ hooks, events: { maxEvents: 2 } })
    const client = await rawClient(node.url)
    const first = sseEvents(await client.get())
    const priming = await first.next()
    await first.cancel()
    for (const word of ['a', 'b', 'c']) await client.call('notify', { word })
    await (await client.get({ 'last-event-id': priming?.id ?? '' })).body?.cancel()
    expect(told.at(-1)).toEqual(['trimmed', { sessionId: client.sessionId, owner: null, stream: 'standalone' }])
  })

  it('change nothing when they throw or reject; onError hears of it', async () => {
    const node = await startNode(memoryBackend(), {
      hooks: {
        created() {
          throw new Error('thrown by a hook')
        },
        terminated: async () => Promise.reject(new Error('rejected by a hook')),
      },
    })
    const client = await rawClient(node.url)
    expect((await client.call('count')).status).toBe(200)
    expect((await client.delete()).status).toBe(200)
    expect(node.errors.map(String)).toEqual(['Error: thrown by a hook', 'Error: rejected by a hook'])
  })
})
