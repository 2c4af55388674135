import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { sqliteBackend } from '@mcp-session/sqlite'
import { pidIsGone, portRefuses } from '@mcp-session/test-processes'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { both, callOf, connectStock, newSession, openStream, ping, post, sendOn } from './clients.ts'
import { type Program, startProgram, temporaryFolder } from './programs.ts'

/** The handler's bound on bodies. */
const bound = 4 * 1024 * 1024

/** What a parser in front answers to broken JSON by itself; none: the handler reads bodies, or gets their text. */
const variants = [
  { name: 'express4', args: [] },
  { name: 'express4', args: ['--json'], broken: /^<!DOCTYPE html>[\s\S]*SyntaxError/ },
  { name: 'express5', args: [] },
  { name: 'express5', args: ['--json'], broken: /^<!DOCTYPE html>[\s\S]*SyntaxError/ },
  { name: 'fastify', args: [] },
  { name: 'fastify', args: ['--json'], broken: /FST_ERR_CTP_INVALID_JSON_BODY/ },
  { name: 'hono', args: [] },
  { name: 'hono', args: ['--json'] },
] as const satisfies readonly Variant[]

interface Variant {
  readonly name: string
  readonly args: readonly string[]
  readonly broken?: RegExp
}

describe.each(variants)('$name $args', { timeout: 60_000 }, ({ name, args, broken }: Variant) => {
  let program: Program
  beforeAll(async () => {
    program = await startProgram(name, ...args)
  }, 60_000)
  afterAll(() => program[Symbol.asyncDispose]())

  it('serves stock clients of both SDKs, across a restart, under the same session ids', async () => {
    await using folder = await temporaryFolder()
    const before = await startProgram(name, ...args, '--database', folder.database)
    const clients = [await connectStock(1, before.url), await connectStock(2, before.url)]
    onTestFinished(async () => void (await Promise.all(clients.map((client) => client.close()))))
    const ids = clients.map((client) => client.sessionId())
    for (const client of clients) {
      expect([await client.call('count'), await client.call('count')]).toEqual(['1', '2'])
      expect(await client.call('announce', { text: 'amber' })).toBe('sent')
      expect(await client.heard()).toBe('amber')
    }
    // Both listen: neither keeps the process.
    expect(await before.process.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect([pidIsGone(before.process.pid), await portRefuses(Number(before.url.port))]).toEqual([true, true])
    await using after = await startProgram(name, ...args, '--database', folder.database, '--port', before.url.port)
    for (const client of clients) expect(await client.call('count')).toBe('3')
    expect(clients.map((client) => client.sessionId())).toEqual(ids)
    for (const client of clients) await client.terminate()
    for (const id of ids) {
      const known = { 'mcp-session-id': id ?? '', 'mcp-protocol-version': '2025-11-25' }
      expect((await post(after.url, ping, known)).status).toBe(404)
    }
  })

  it('ends a session at DELETE: 404 on every method from then on', async () => {
    const known = await newSession(program.url)
    expect((await fetch(program.url, { method: 'DELETE', headers: known })).status).toBe(200)
    expect((await post(program.url, ping, known)).status).toBe(404)
    expect((await fetch(program.url, { headers: { ...known, accept: 'text/event-stream' } })).status).toBe(404)
    expect((await fetch(program.url, { method: 'DELETE', headers: known })).status).toBe(404)
  })

  it('takes a body that fills the bound, and answers 413 in JSON-RPC to one byte more', async () => {
    const known = await newSession(program.url)
    const empty = { ...ping, params: { text: '' } }
    const room = bound - JSON.stringify(empty).length
    const fits = await post(program.url, { ...ping, params: { text: 'x'.repeat(room) } }, known)
    expect(await fits.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
    const over = await post(program.url, { ...ping, params: { text: 'x'.repeat(room + 1) } }, known)
    expect([over.status, await over.json()]).toEqual([413, expect.objectContaining({ error: expect.objectContaining({ code: -32_000 }) })])
  })

  it(`answers broken JSON with 400, ${broken ? 'as its own parser does' : 'in JSON-RPC'}`, async () => {
    const known = await newSession(program.url)
    const answer = await post(program.url, '{"jsonrpc"', known)
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(broken ?? /"code":-32700/)])
    expect((await post(program.url, ping, known)).status).toBe(200)
  })

  it.each([
    ['405', 'PUT', {}],
    ['405', 'PATCH', {}],
    ['405', 'HEAD', {}],
    ['406', 'POST', { accept: 'application/json' }],
    ['403', 'POST', { origin: 'https://evil.example' }],
    ['400', 'GET', { accept: 'text/event-stream' }],
    ['400', 'DELETE', {}],
  ])('leaves %s for %s with %j to the handler', async (status, method, headers) => {
    const json = { 'content-type': 'application/json', accept: both }
    const given = ['GET', 'HEAD', 'DELETE'].includes(method)
      ? { headers }
      : { headers: { ...json, ...headers }, body: JSON.stringify(ping) }
    const answer = await fetch(program.url, { method, ...given })
    expect(answer.status).toBe(Number(status))
    expect(await answer.text()).toMatch(method === 'HEAD' ? /^$/ : /"jsonrpc":"2.0"/)
  })

  it('sends a stream at once, byte by byte as it comes, and not compressed', async () => {
    const known = await newSession(program.url)
    const { sent, answer } = await openStream(program.url, known)
    onTestFinished(() => void sent.destroy())
    expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' })
    expect(answer.headers['content-encoding']).toBeUndefined()
    // Nothing has happened in the session, so nothing but a flush brings this.
    expect(String(await once(answer, 'data'))).toMatch(/^retry: \d+\n/)
    const next = once(answer, 'data')
    expect(await (await post(program.url, callOf('announce', { text: 'birch' }), known)).text()).toContain('sent')
    expect(String(await next)).toContain('birch')
    expect(answer.complete).toBe(false)
  })

  it('answers on one kept connection whatever comes, bodies that nobody reads included', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const session = await newSession(program.url)
    const known = { ...session, 'content-type': 'application/json', accept: both }
    const unread = 'x'.repeat(100_000)
    const answers = []
    for (const request of [
      { headers: known, body: JSON.stringify(ping) },
      { headers: known, body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }) },
      { headers: { ...known, origin: 'https://evil.example' }, body: JSON.stringify({ ...ping, params: { unread } }) },
      { headers: { ...known, 'mcp-session-id': 'unknown' }, body: JSON.stringify(ping) },
      { headers: { ...known, accept: '' }, body: JSON.stringify({ ...ping, params: { unread } }) },
      { method: 'DELETE', headers: session },
      { headers: known, body: JSON.stringify(ping) },
    ]) {
      answers.push(await sendOn(agent, program.url, request))
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 202, 403, 404, 406, 200, 404])
    expect(new Set(answers.map(({ from }) => from)).size).toBe(1)
  })
})

describe.concurrent.each(['express4', 'express5', 'fastify', 'hono'])('%s', { timeout: 60_000 }, (name) => {
  it('ends in order at SIGTERM: a stream with `retry`, a connection that never asked without waiting for it', async ({ expect: is }) => {
    await using program = await startProgram(name)
    const silent = connect(Number(program.url.port), '127.0.0.1').on('error', () => {})
    await once(silent, 'connect')
    // An answer on a later connection: the silent one has been accepted.
    const { answer } = await openStream(program.url, await newSession(program.url))
    const text = (async () => {
      let all = ''
      for await (const chunk of answer) all += String(chunk)
      return all
    })()
    is(await program.process.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    is(await text).toMatch(/\n\nretry: \d+\n\n$/)
    is(answer.complete).toBe(true)
    silent.destroy()
  })

  it('ends a stream when its client goes away: the session that nobody uses expires', async ({ expect: is }) => {
    const ttlMs = 5_000
    await using folder = await temporaryFolder()
    await using program = await startProgram(name, '--database', folder.database, '--ttl', String(ttlMs))
    const store = sqliteBackend({ path: folder.database })
    await store.open()
    try {
      const known = await newSession(program.url)
      const id = known['mcp-session-id'] ?? ''
      const session = () => store.get(id, { now: Date.now(), deadlineAt: Number.POSITIVE_INFINITY })
      const { sent, answer } = await openStream(program.url, known)
      answer.resume().on('error', () => {})
      const openedAt = Date.now()
      // While the stream is open it counts as access.
      await vi.waitFor(async () => is((await session())?.lastAccessedAt).toBeGreaterThan(openedAt + ttlMs), { timeout: 4 * ttlMs })
      sent.destroy()
      // Before the next keep-alive comment, at which the server would find out anyway.
      await vi.waitFor(async () => is(await session()).toBeUndefined(), { timeout: 2 * ttlMs })
    } finally {
      await store.close()
    }
  })
})
