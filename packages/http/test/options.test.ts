import { memoryBackend } from '@mcp-session/memory'
import { describe, expect, it } from 'vitest'
import { createSessionHandler, type SessionHandlerOptions } from '../src/index.ts'
import { type Counter, counterSchema, serverFactory } from './mcp-servers.ts'

const good: SessionHandlerOptions<Counter> = {
  backend: memoryBackend(),
  schema: counterSchema,
  server: serverFactory(2),
  principal: 'anonymous',
}

const numbers = [
  'jsonWaitMs',
  'retryMs',
  'keepAliveMs',
  'pollIntervalMs',
  'liveSessions',
  'liveIdleMs',
  'maxBodyBytes',
  'orphanAfterMs',
  'maxSessionsPerPrincipal',
  'drainMs',
] as const

describe('createSessionHandler', () => {
  it.each(numbers)('names %s and the value that it cannot be', async (name) => {
    for (const value of [-1, 1.5, Number.NaN, 1e300]) {
      await expect(createSessionHandler({ ...good, [name]: value })).rejects.toThrow(
        new RegExp(`^${name} must be .*not ${String(value).replace('+', '\\+')}$`),
      )
      await expect(createSessionHandler({ ...good, [name]: value })).rejects.toThrow(RangeError)
    }
    await expect(createSessionHandler({ ...good, [name]: '5' })).rejects.toThrow(new TypeError(`${name} must be a number, not '5'`))
  })

  it.each([
    ['principal', 'none'],
    ['principal', undefined],
    ['server', 'none'],
    ['allowedHosts', ['https://x']],
    ['allowedHosts', 'x'],
    ['allowedOrigins', ['app.example']],
    ['allowedOrigins', 'https://app.example'],
    ['createRate', 5],
    ['hooks', 'created'],
    ['hooks.created', 'log'],
  ])('names %s when it is %o', async (name, value) => {
    const [option = '', member] = name.split('.')
    const given = { ...good, [option]: member === undefined ? value : { [member]: value } }
    await expect(createSessionHandler(given)).rejects.toThrow(TypeError)
    await expect(createSessionHandler(given)).rejects.toThrow(new RegExp(`^${name} must`))
  })

  it('refuses a create rate that lets nobody in, and hooks that there are not', async () => {
    await expect(createSessionHandler({ ...good, createRate: { sessions: 0, perMs: 1 } })).rejects.toThrow(/^createRate.sessions must/)
    const hooks: Record<string, () => void> = { closed: () => {} }
    await expect(createSessionHandler({ ...good, hooks })).rejects.toThrow(/^hooks has no closed; there are created, restored/)
  })

  it('checks the retention of the event log, and lets it be unbounded', async () => {
    await expect(createSessionHandler({ ...good, events: { maxEvents: 0 } })).rejects.toThrow(/^events.maxEvents must/)
    const handler = await createSessionHandler({ ...good, events: { maxEvents: Number.POSITIVE_INFINITY } })
    await handler.close()
  })

  it('takes origins of extensions and desktop apps, whose URLs have none', async () => {
    const allowedOrigins = ['https://app.example', 'chrome-extension://abcdef', 'tauri://localhost', 'vscode-webview://1a2b']
    await (await createSessionHandler({ ...good, allowedOrigins })).close()
    for (const origin of ['chrome-extension://abcdef/page', 'file://', 'data:text/plain,x']) {
      await expect(createSessionHandler({ ...good, allowedOrigins: [origin] })).rejects.toThrow(/^allowedOrigins must/)
    }
  })

  it('leaves what belongs to the store to the store', async () => {
    await expect(createSessionHandler({ ...good, ttlMs: -1 })).rejects.toThrow(RangeError)
  })

  it('gives sessions 24 idle hours and 30 days by default', async () => {
    const handler = await createSessionHandler({ ...good, now: () => 0 })
    expect(await handler.sessions.create()).toMatchObject({ ttlMs: 86_400_000, mustEndAt: 2_592_000_000 })
    await handler.close()
  })
})
