import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import { hostProblem } from '../src/hosts.ts'
import { startNode } from './nodes.ts'
import { initializeBody, postRequest } from './raw-client.ts'

const loopback = { allowedHosts: undefined, allowedOrigins: [] }

describe('Host', () => {
  it.each(['localhost', 'localhost:3000', 'LOCALHOST', '127.0.0.1:80', '127.1.2.3', '[::1]', '[::1]:8080'])('%s is loopback', (host) => {
    expect(hostProblem(host, null, loopback)).toBeUndefined()
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    '',
    'a b',
    '[::2]',
    null,
    'localhost/x',
    'x\u0000',
  ])('%s is refused', (host) => {
    expect(hostProblem(host, null, loopback)).toBeTypeOf('string')
  })

  it('is served when it is listed, by name or by name and port', () => {
    const rules = { allowedHosts: ['api.example', 'Other.example:8443'], allowedOrigins: [] }
    for (const host of ['api.example', 'API.example:1', 'other.example:8443']) expect(hostProblem(host, null, rules)).toBeUndefined()
    for (const host of ['other.example', 'localhost', 'x.api.example']) expect(hostProblem(host, null, rules)).toBeTypeOf('string')
    expect(hostProblem('whatever.example', null, { ...rules, allowedHosts: 'any' })).toBeUndefined()
  })

  it('is refused with 403 and a message that names the option', async () => {
    const { handler } = await startNode(memoryBackend())
    const answer = await handler.fetch(postRequest(new URL('http://evil.example/mcp'), initializeBody()))
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('allowedHosts')
    expect(await handler.sessions.count()).toBe(0)
  })
})

describe('Origin', () => {
  it('is served when it is the server’s own, or listed', () => {
    expect(hostProblem('localhost:3000', 'http://localhost:3000', loopback)).toBeUndefined()
    expect(hostProblem('localhost:443', 'https://localhost', loopback)).toBeUndefined()
    expect(hostProblem('localhost', 'https://app.example', { ...loopback, allowedOrigins: ['https://app.example'] })).toBeUndefined()
  })

  it.each(['http://localhost:3001', 'https://evil.example', 'null', 'file://', 'garbage', 'http://localhost:3000.evil.example'])(
    '%s is foreign',
    (origin) => {
      expect(hostProblem('localhost:3000', origin, loopback)).toContain('allowedOrigins')
    },
  )

  it('may read the session id when it is listed, and asks beforehand', async () => {
    const { handler } = await startNode(memoryBackend(), { allowedOrigins: ['https://app.example'] })
    const url = new URL('http://localhost/mcp')
    const answer = await handler.fetch(postRequest(url, initializeBody(), { origin: 'https://app.example' }))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(answer.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id')
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const preflight = await handler.fetch(new Request(url, { method: 'OPTIONS', headers }))
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Last-Event-ID')
    const foreign = await handler.fetch(postRequest(url, initializeBody(), { origin: 'https://evil.example' }))
    expect(foreign.status).toBe(403)
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
  })
})
