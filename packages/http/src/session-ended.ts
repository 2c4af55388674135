import { SessionError } from '@mcp-session/core'

/** What a server or tool gets that goes on using a session which was deleted or has expired. To a client it is a 404. */
export class SessionEnded extends SessionError {
  constructor(message?: string) {
    super('MCP_SESSION_CLOSED', message ?? 'The session has ended: it was deleted, terminated, or has expired')
  }
}

/** What a server gets that goes on sending after it was closed on this node; its session may live on. */
export class ServerClosed extends SessionEnded {
  constructor() {
    super('This server is closed: it was idle for liveIdleMs, made room for others, or the handler was closed')
  }
}
