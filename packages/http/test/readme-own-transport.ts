import type { SessionBackend } from '@mcp-session/core/backend'
import { createEventStore } from '@mcp-session/http'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server' // or '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'

export async function transportOf(backend: SessionBackend, sessionId: string): Promise<WebStandardStreamableHTTPServerTransport> {
  const eventStore = await createEventStore(backend, sessionId)
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => sessionId,
    eventStore,
    async onsessionclosed() {
      await eventStore.delete() // the client has ended its session
    },
  })
  transport.onclose = () => void eventStore.close()
  return transport
}
