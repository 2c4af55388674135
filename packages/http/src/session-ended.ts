import { SessionError } from '@mcp-session/core'

/** What a server or tool gets that goes on using a session which was deleted or has expired. To a client it is a 404. */
export class SessionEnded extends SessionError {
  constructor() {
    super('MCP_SESSION_CLOSED', 'The session has ended: it was deleted, terminated, or has expired')
  }
}
