import { describe, expect, it } from 'vitest'
import { SessionError } from '../src/index.ts'

describe('SessionError', () => {
  it('carries code, retryable, outcome and cause', () => {
    const cause = new Error('driver')
    const error = new SessionError('MCP_SESSION_UNAVAILABLE', 'text', { retryable: true, outcome: 'unknown', cause })
    expect(error).toMatchObject({
      name: 'SessionError',
      message: 'text',
      code: 'MCP_SESSION_UNAVAILABLE',
      retryable: true,
      outcome: 'unknown',
      cause,
    })
    expect(error).toBeInstanceOf(Error)
    expect(error.stack).toContain('errors.test.ts')
  })

  it('is not retryable and wrote nothing unless it says so', () => {
    const error = new SessionError('MCP_SESSION_LIMIT', 'full')
    expect(error).toMatchObject({ retryable: false, outcome: 'none' })
    expect('cause' in error).toBe(false)
  })

  it('is recognised by its brand, also when another copy of the package made it', () => {
    const foreign = Object.assign(new Error('x'), { code: 'MCP_SESSION_LOCKED', [Symbol.for('@mcp-session/SessionError')]: true })
    expect(foreign).not.toBeInstanceOf(SessionError)
    expect(SessionError.is(foreign)).toBe(true)
    expect(SessionError.is(foreign, 'MCP_SESSION_LOCKED')).toBe(true)
    expect(SessionError.is(foreign, 'MCP_SESSION_LIMIT')).toBe(false)
  })

  it.each([undefined, null, 'MCP_SESSION_LIMIT', 5, {}, new Error('x'), { code: 'MCP_SESSION_LIMIT' }])('is not %s', (value) => {
    expect(SessionError.is(value)).toBe(false)
  })

  it('shows its brand to nobody who lists its properties', () => {
    const error = new SessionError('MCP_SESSION_LIMIT', 'full')
    expect(Object.keys(error).sort()).toEqual(['code', 'name', 'outcome', 'retryable'])
    expect(Object.getOwnPropertySymbols({ ...error })).toEqual([])
  })
})
