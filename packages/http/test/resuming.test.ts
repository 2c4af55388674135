import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { describe, expect, it } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { type Holds, serverFactory } from './mcp-servers.ts'
import { holdingNode, startNode } from './nodes.ts'
import { knownSession, rawClient, sseEvents } from './raw-client.ts'
import { sharedEngines, sharedStore } from './shared-store.ts'

function parsed(data: string | undefined): unknown {
  return JSON.parse(data ?? '')
}

describe('resuming by Last-Event-ID', () => {
  it.each(sharedEngines)('continues a running call at the cursor, on another node on %s', { timeout: 30_000 }, async (engine) => {
    const holds: Holds = new Map()
    const store = await sharedStore(engine)
    const running = await startNode(store(), { server: serverFactory(1, { holds }), jsonWaitMs: 0 })
    const other = await startNode(store())
    const client = await rawClient(running.url)
    const lost = sseEvents(await client.call('hold', { word: 'moved' }))
    await lost.next()
    const progress = await lost.next()
    await lost.cancel()
    const headers = { accept: 'text/event-stream', 'mcp-session-id': client.sessionId, 'last-event-id': progress?.id ?? '' }
    const resumed = await fetch(other.url, { headers })
    expect(resumed.status).toBe(200)
    const events = sseEvents(resumed)
    expect(await events.next()).toMatchObject({ id: progress?.id, data: '' })
    holds.get('moved')?.()
    expect(parsed((await events.next())?.data)).toMatchObject({ id: 1, result: {} })
    expect(await events.next()).toBeUndefined()
  })

  it('gives the answer that came while nobody listened, then 204 after it', async () => {
    const node = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const lost = sseEvents(await client.call('hold', { word: 'alone' }))
    const priming = await lost.next()
    await lost.cancel()
    await node.underway
    node.holds.get('alone')?.()
    const [again, progress, last] = await sseEvents(await client.get({ 'last-event-id': priming?.id ?? '' })).rest()
    expect(again?.id).toBe(priming?.id)
    expect(progress?.data).toContain('notifications/progress')
    expect(last?.data).toContain('alone')
    const after = await client.get({ 'last-event-id': last?.id ?? '' })
    expect(after.status).toBe(204)
  })

  it('gives only the later messages of that stream', async () => {
    const node = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    await client.call('notify', { word: 'standalone' })
    const stream = await sseEvents(await client.call('count')).rest()
    const resumed = await sseEvents(await client.get({ 'last-event-id': stream[0]?.id ?? '' })).rest()
    expect(resumed.map(({ data }) => data)).toEqual(['', stream[1]?.data])
  })

  it('says so when retention has taken the answer', async () => {
    const node = await holdingNode({ jsonWaitMs: 0, events: { maxEvents: 2 } })
    const client = await rawClient(node.url)
    const [priming] = await sseEvents(await client.call('count', {}, 'lost')).rest()
    for (const word of ['a', 'b', 'c']) await client.call('notify', { word })
    const events = await sseEvents(await client.get({ 'last-event-id': priming?.id ?? '' })).rest()
    expect(events.slice(1).map(({ data }) => parsed(data))).toEqual([
      { jsonrpc: '2.0', id: 'lost', error: expect.objectContaining({ code: -32000 }) },
    ])
  })

  it('waits for the answer of a call that still runs, whatever retention has taken of its progress', async () => {
    const node = await holdingNode({ events: { maxEvents: 2 } })
    const client = await rawClient(node.url)
    const begun = sseEvents(await client.call('hold', { word: 'long' }))
    const priming = await begun.next()
    await node.underway
    await begun.cancel()
    for (const word of ['a', 'b', 'c']) await client.call('notify', { word }, word)
    const resumed = sseEvents(await client.get({ 'last-event-id': priming?.id ?? '' }))
    expect((await resumed.next())?.data).toBe('')
    node.holds.get('long')?.()
    expect((await resumed.rest()).map(({ data }) => parsed(data))).toEqual([
      { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'long' }] } },
    ])
  })

  it('waits for it on another node too, as long as a message of the call is kept', async () => {
    const { promise: finished, resolve: finish } = deferred<void>()
    const events = { maxEvents: 2 }
    const store = await sharedStore('memory')
    const running = await startNode(store(), { server: () => stepping(finished), jsonWaitMs: 0, events })
    const other = await startNode(store(), { events })
    const client = await rawClient(running.url)
    const begun = sseEvents(await client.call('steps'))
    const priming = await begun.next()
    for (let count = 0; count < 4; count += 1) expect((await begun.next())?.data).toContain('notifications/progress')
    await begun.cancel()
    const resumed = sseEvents(await knownSession(other.url, client.sessionId).get({ 'last-event-id': priming?.id ?? '' }))
    expect((await resumed.next())?.data).toBe('')
    for (let count = 0; count < 2; count += 1) expect((await resumed.next())?.data).toContain('notifications/progress')
    finish()
    expect((await resumed.rest()).map(({ data }) => parsed(data))).toEqual([{ jsonrpc: '2.0', id: 1, result: expect.anything() }])
  })

  it('continues the standalone stream at the oldest event that is kept', async () => {
    const node = await holdingNode({ events: { maxEvents: 2 } })
    const client = await rawClient(node.url)
    const first = sseEvents(await client.get())
    const priming = await first.next()
    await first.cancel()
    for (const word of ['a', 'b', 'c']) await client.call('notify', { word })
    const resumed = sseEvents(await client.get({ 'last-event-id': priming?.id ?? '' }))
    await resumed.next()
    expect((await resumed.next())?.data).toContain('"b"')
    expect((await resumed.next())?.data).toContain('"c"')
    await resumed.cancel()
  })
})

describe('the standalone stream', () => {
  it('begins with what was stored before the first GET', async () => {
    const node = await holdingNode()
    const client = await rawClient(node.url)
    await client.call('notify', { word: 'early' })
    const events = sseEvents(await client.get())
    expect((await events.next())?.data).toBe('')
    expect((await events.next())?.data).toContain('early')
    await events.cancel()
  })

  it('starts at the present where a GET without a cursor is not the first', async () => {
    const node = await holdingNode()
    const client = await rawClient(node.url)
    const first = sseEvents(await client.get())
    await first.next()
    await first.cancel()
    await client.call('notify', { word: 'seen before' })
    const second = sseEvents(await client.get())
    await second.next()
    await client.call('notify', { word: 'now' })
    expect((await second.next())?.data).toContain('now')
    await second.cancel()
  })

  it('is taken over by a newer GET', async () => {
    const node = await holdingNode()
    const client = await rawClient(node.url)
    const older = sseEvents(await client.get())
    await older.next()
    const newer = sseEvents(await client.get())
    await newer.next()
    expect(await older.next()).toBeUndefined()
    await client.call('notify', { word: 'newer' })
    expect((await newer.next())?.data).toContain('newer')
    await newer.cancel()
  })

  it('never carries an answer', async () => {
    const node = await holdingNode({ jsonWaitMs: 0 })
    const client = await rawClient(node.url)
    const events = sseEvents(await client.get())
    await events.next()
    await sseEvents(await client.call('count')).rest()
    await client.call('notify', { word: 'only this' })
    expect((await events.next())?.data).toContain('only this')
    await events.cancel()
  })

  it('is kept open by comments', async () => {
    const node = await holdingNode({ keepAliveMs: 1 })
    const client = await rawClient(node.url)
    const response = await client.get()
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes(': keep-alive\n\n')) text += (await reader?.read())?.value ?? ''
    await reader?.cancel()
  })
})

/** A server whose tool reports four steps of progress, and then waits. */
function stepping(finished: Promise<void>): McpServer {
  const server = new McpServer({ name: 'stepping', version: '1' })
  server.registerTool('steps', {}, async ({ sendNotification, _meta }) => {
    const progressToken = _meta?.progressToken ?? ''
    for (let progress = 1; progress <= 4; progress += 1) {
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress } })
    }
    await finished
    return { content: [] }
  })
  return server
}
