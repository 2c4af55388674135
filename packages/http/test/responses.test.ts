import { SessionError, type SessionErrorCode } from '@mcp-session/core'
import { describe, expect, it } from 'vitest'
import { replyToError } from '../src/responses.ts'
import { SessionEnded } from '../src/session-ended.ts'

const statuses: Record<SessionErrorCode, number> = {
  MCP_SESSION_CLOSED: 503,
  MCP_SESSION_CONFLICT: 503,
  MCP_SESSION_TIMEOUT: 503,
  MCP_SESSION_OVERLOADED: 503,
  MCP_SESSION_LIMIT: 503,
  MCP_SESSION_LOCKED: 503,
  MCP_SESSION_UNAVAILABLE: 503,
  MCP_SESSION_TOO_LARGE: 413,
  MCP_SESSION_CORRUPT: 500,
  MCP_SESSION_SCHEMA: 500,
  MCP_SESSION_CONTRACT: 500,
  MCP_SESSION_INTERNAL: 500,
}

describe('a failure of the store', () => {
  it('has a status for every code, says when to come back, and shows no details', () => {
    for (const [code, status] of Object.entries(statuses)) {
      const reply = replyToError(new SessionError(code as SessionErrorCode, 'secret', { cause: new Error('host and password') }))
      expect(reply.status, code).toBe(status)
      expect(reply.headers['Retry-After'], code).toBe(status === 503 ? '2' : undefined)
      expect(JSON.stringify(reply), code).not.toMatch(/secret|password/)
    }
  })

  it('is a 500 without details where it is anything else, and a 404 where the session has ended', () => {
    expect(replyToError(new Error('secret'))).toMatchObject({ status: 500, body: expect.not.stringContaining('secret') })
    expect(replyToError(new SessionEnded()).status).toBe(404)
  })
})
