import { describe, expect, it } from 'vitest'
import { openSessions, type SessionsOptions } from '../src/index.ts'
import { checkOptions } from '../src/options.ts'
import { scriptedBackend } from './scripted-backend.ts'
import { failure, openStore } from './store.ts'

const refused: [option: keyof SessionsOptions, value: unknown, errorClass: typeof Error][] = [
  ['kind', '', RangeError],
  ['kind', 'Cart', RangeError],
  ['kind', 5, TypeError],
  ['ttlMs', -1, RangeError],
  ['ttlMs', 1.5, RangeError],
  ['ttlMs', '5', TypeError],
  ['maxLifetimeMs', Number.NaN, RangeError],
  ['touchIntervalMs', -1, RangeError],
  ['cleanupIntervalMs', -1, RangeError],
  ['cleanupIntervalMs', Number.POSITIVE_INFINITY, RangeError],
  ['callTimeoutMs', 0, RangeError],
  ['callTimeoutMs', -1, RangeError],
  ['callTimeoutMs', 2 ** 31, RangeError],
  ['callTimeoutMs', Number.POSITIVE_INFINITY, RangeError],
  ['maxInFlight', 0, RangeError],
  ['maxBytes', 63, RangeError],
  ['maxBytes', 2 * 1_048_576, RangeError],
  ['cacheBytes', -1, RangeError],
  ['schema', {}, TypeError],
  ['schema', 5, TypeError],
  ['codec', {}, TypeError],
  ['codec', { encode: () => '' }, TypeError],
  ['now', 5, TypeError],
  ['onError', 'log', TypeError],
]

describe('options', () => {
  it.each(refused)('%s %o is refused by name before the backend is opened', async (option, value, errorClass) => {
    const backend = scriptedBackend()
    const error = await failure(openSessions({ backend, [option]: value }))
    expect(error).toBeInstanceOf(errorClass)
    expect((error as Error).message).toContain(option)
    if (typeof value === 'number' && option !== 'schema') expect((error as Error).message).toMatch(new RegExp(`got (${value}|number)`))
    expect(backend.sent).toEqual([])
  })

  it.each([[undefined], [null], [5], [{}], [{ backend: {} }], [{ backend: null }], [{ backend: 'redis://localhost' }]])(
    '%o has no backend',
    async (options) => {
      expect(await failure(openSessions(options as unknown as SessionsOptions))).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('backend'),
      })
    },
  )

  it('that do not exist are refused: a lifetime that is misspelt must not be no lifetime', async () => {
    const options: object = { tllMs: 5, ownr: 1 }
    await expect(openSessions({ backend: scriptedBackend(), ...options })).rejects.toThrow(/^openSessions has no option tllMs, ownr$/)
  })

  it('name the methods that a backend lacks', async () => {
    const { touch: _touch, classify: _classify, ...partial } = scriptedBackend()
    expect(await failure(openSessions({ backend: partial as unknown as SessionsOptions['backend'] }))).toMatchObject({
      message: expect.stringContaining('touch, classify'),
    })
  })

  it('have the documented defaults', () => {
    const backend = scriptedBackend()
    expect(checkOptions({ backend })).toMatchObject({
      backend,
      kind: 's',
      ttlMs: Number.POSITIVE_INFINITY,
      maxLifetimeMs: Number.POSITIVE_INFINITY,
      touchIntervalMs: undefined,
      cleanupIntervalMs: 60_000,
      callTimeoutMs: 5_000,
      maxInFlight: 1_024,
      maxBytes: 1_048_576,
      cacheBytes: 16 * 1_048_576,
      schema: undefined,
      now: Date.now,
    })
  })

  it('an onError that throws harms nobody: Node is told instead', async () => {
    const warnings: unknown[] = []
    const told = new Promise<void>((resolve) => {
      process.once('warning', (warning) => {
        warnings.push(warning.message)
        resolve()
      })
    })
    const { sessions, backend } = await openStore({
      touchIntervalMs: 0,
      onError: () => {
        throw new Error('the logger is broken')
      },
    })
    const { id } = await sessions.create({ a: 1 })
    backend.once('touch', async () => {
      throw new Error('x')
    })
    expect((await sessions.retrieve(id))?.metadata).toEqual({ a: 1 })
    await told
    expect(warnings).toEqual(['the logger is broken'])
  })

  it('without onError warns through Node', async () => {
    const told = new Promise<Error>((resolve) => process.once('warning', resolve))
    const backend = scriptedBackend()
    const sessions = await openSessions({ backend, cleanupIntervalMs: 0, touchIntervalMs: 0 })
    const { id } = await sessions.create({})
    backend.once('touch', async () => {
      throw new Error('x')
    })
    await sessions.retrieve(id)
    expect(await told).toMatchObject({ code: 'MCP_SESSION_INTERNAL' })
    await sessions.close()
  })
})
