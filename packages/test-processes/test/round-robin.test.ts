import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listenOnLoopback, startRoundRobin } from '../src/index.ts'

async function startHttp(listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void) {
  const server = createServer(listener)
  const { port } = await listenOnLoopback(server)
  return {
    port,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const echo = (name: string) =>
  startHttp((incoming, outgoing) => {
    outgoing.writeHead(201, { 'x-host': incoming.headers.host ?? '' })
    outgoing.write(`${name} ${incoming.method} ${incoming.url} `)
    incoming.pipe(outgoing)
  })

// `once` would reject on the error of a reset.
const closeOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

describe('startRoundRobin', () => {
  it('gives each request to the next target, with method, path, Host and body as they are', async () => {
    await using one = await echo('one')
    await using two = await echo('two')
    await using proxy = await startRoundRobin({ targets: [one.port, two.port] })
    const ask = async (body: string) => {
      const answer = await fetch(`${proxy.url}/mcp?q`, { method: 'POST', body })
      return [answer.status, answer.headers.get('x-host'), await answer.text()]
    }
    const host = `127.0.0.1:${proxy.port}`
    expect(await ask('1')).toEqual([201, host, 'one POST /mcp?q 1'])
    expect(await ask('2')).toEqual([201, host, 'two POST /mcp?q 2'])
    expect(await ask('3')).toEqual([201, host, 'one POST /mcp?q 3'])
    expect(proxy.counts).toEqual([2, 1])
  })

  it('streams: an event arrives while the answer is open, and the client going away reaches the server', async () => {
    await using target = await startHttp((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
    })
    await using proxy = await startRoundRobin({ targets: [target.port] })
    const accepted = once(target.server, 'request')
    const aborter = new AbortController()
    const answer = await fetch(proxy.url, { signal: aborter.signal })
    const chunk = await answer.body?.getReader().read()
    expect(new TextDecoder().decode(chunk?.value)).toBe('data: first\n\n')
    const [incoming] = await accepted
    const closed = closeOf(incoming.socket)
    aborter.abort()
    await closed
  })

  it('breaks the answer off when the server does', async () => {
    await using target = await startHttp((incoming, outgoing) => {
      outgoing.writeHead(200).write('half', () => incoming.socket.resetAndDestroy())
    })
    await using proxy = await startRoundRobin({ targets: [target.port] })
    await expect(fetch(proxy.url).then((answer) => answer.text())).rejects.toThrow()
  })

  it('answers 502 for a target that refuses', async () => {
    const gone = await echo('gone')
    await gone[Symbol.asyncDispose]()
    await using proxy = await startRoundRobin({ targets: [gone.port] })
    const answer = await fetch(proxy.url)
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain('ECONNREFUSED')
  })

  it('passes over a target that refuses, where asked to, and tells which target was given what', async () => {
    await using one = await echo('one')
    const gone = await echo('gone')
    await gone[Symbol.asyncDispose]()
    await using two = await echo('two')
    await using proxy = await startRoundRobin({ targets: [one.port, gone.port, two.port], passOver: true })
    const ask = async (method: string) => (await fetch(proxy.url, { method, body: method === 'POST' ? 'x' : null })).text()
    expect([await ask('POST'), await ask('POST'), await ask('GET')]).toEqual(['one POST / x', 'two POST / x', 'one GET / '])
    expect(proxy.given).toEqual([
      { method: 'POST', target: 0 },
      { method: 'POST', target: 2 },
      { method: 'GET', target: 0 },
    ])
  })

  it('answers 502 when every target refuses', async () => {
    const gone = await echo('gone')
    await gone[Symbol.asyncDispose]()
    await using proxy = await startRoundRobin({ targets: [gone.port], passOver: true })
    expect((await fetch(proxy.url)).status).toBe(502)
  })

  it('refuses to be started without targets', async () => {
    await expect(startRoundRobin({ targets: [] })).rejects.toThrow(RangeError)
  })
})
