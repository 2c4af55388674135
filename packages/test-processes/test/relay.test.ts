import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listenOnLoopback, type ObservedRequest, startRelay } from '../src/index.ts'

async function startHttp(listener: RequestListener) {
  const server = createServer(listener)
  const { port } = await listenOnLoopback(server)
  return {
    port,
    http: server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const named = (name: string) =>
  startHttp((incoming, outgoing) => {
    incoming.resume()
    outgoing.end(name)
  })

const summary = ({ connection, method, path, body, complete }: ObservedRequest) => [connection, method, path, body(), complete()]

// `once` would reject on the error of a reset.
const closeOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

describe('startRelay', () => {
  it('passes requests and answers, and shows both', async () => {
    await using server = await named('amber')
    await using relay = await startRelay({ target: server.port })
    const answer = await fetch(`${relay.url}/mcp`, { method: 'POST', body: '{"id":1}', headers: { 'x-word': 'blue' } })
    expect(await answer.text()).toBe('amber')
    expect(relay.requests.map(summary)).toEqual([[0, 'POST', '/mcp', '{"id":1}', true]])
    expect(relay.requests[0]?.headers['x-word']).toBe('blue')
    expect(relay.requests[0]?.reply()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*amber/s)
  })

  it('counts chunked and pipelined requests that arrive byte by byte', async () => {
    await using server = await named('ok')
    await using relay = await startRelay({ target: server.port })
    const socket = connect({ host: '127.0.0.1', port: relay.port, noDelay: true }).resume()
    const first = 'POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nPOST \r\n4\r\n/b H\r\n0\r\n\r\n'
    const second = 'POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc'
    for (const byte of first + second) socket.write(byte)
    socket.write('GET /c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    await once(socket, 'close')
    expect(relay.requests.map(summary)).toEqual([
      [0, 'POST', '/a', 'POST /b H', true],
      [0, 'POST', '/b', 'abc', true],
      [0, 'GET', '/c', '', true],
    ])
  })

  it('shows a reply while it streams', async () => {
    await using server = await startHttp((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: 7\ndata:\n\n')
    })
    await using relay = await startRelay({ target: server.port })
    const aborter = new AbortController()
    await fetch(relay.url, { signal: aborter.signal })
    const request = await relay.seen((seen) => /^id: 7$/m.test(seen.reply()))
    expect(request.method).toBe('GET')
    aborter.abort()
  })

  it('rejects when nothing like it crosses within the bound', async () => {
    await using server = await named('x')
    await using relay = await startRelay({ target: server.port })
    await expect(relay.seen(() => true, 1)).rejects.toThrow(/within 1 ms; 0 others/)
  })

  it('cut resets the connections of both sides and every new one; restore opens the line again', async () => {
    await using server = await startHttp((_incoming, outgoing) => {
      outgoing.writeHead(200).write('begun')
    })
    const accepted = once(server.http, 'request')
    await using other = await named('other')
    await using relay = await startRelay({ target: server.port })
    const answer = await fetch(relay.url)
    const [incoming] = await accepted
    const closed = closeOf(incoming.socket)
    relay.cut()
    await expect(answer.text()).rejects.toThrow()
    await closed
    await expect(fetch(relay.url)).rejects.toMatchObject({ cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) } })
    expect(relay.requests.length).toBe(1)
    relay.restore(other.port)
    expect(await (await fetch(relay.url)).text()).toBe('other')
  })

  it('resets the client when nobody listens at the target', async () => {
    const server = await named('gone')
    await server[Symbol.asyncDispose]()
    await using relay = await startRelay({ target: server.port })
    await expect(fetch(relay.url)).rejects.toThrow('fetch failed')
  })
})
