import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { memoryBackend } from '@mcp-session/memory'
import { expect, it, onTestFinished } from 'vitest'
import { deferred } from '../src/deferred.ts'
import { startNode } from './nodes.ts'
import { rawClient } from './raw-client.ts'

const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
const requests = [
  ['GET', ''],
  ['POST', `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`],
] as const

it.each(requests)('a stream that is asked for by %s begins with its head and an event id in one piece', async (method, headers) => {
  const { handler, url } = await startNode(memoryBackend(), { jsonWaitMs: 0 })
  const { sessionId } = await rawClient(url)
  const { promise: written, resolve: onWrite } = deferred<string>()
  const line = new Duplex({
    read() {},
    writev(chunks, done) {
      onWrite(chunks.map(({ chunk }) => String(chunk)).join(''))
      done()
    },
  })
  onTestFinished(() => void line.destroy())
  createServer(handler.node).emit('connection', line)
  const known = `Host: localhost\r\nMcp-Session-Id: ${sessionId}\r\nAccept: application/json, text/event-stream\r\n`
  line.push(`${method} /mcp HTTP/1.1\r\n${known}${headers}\r\n${method === 'POST' ? body : ''}`)
  const first = await written
  expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(first).toMatch(/\r\nretry: 50\nid: \S+\ndata: \n\n/)
})
