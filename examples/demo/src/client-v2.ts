import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type ConnectedClient, countResult } from './connected-client.ts'

/** The client of SDK 2.x with stock options. */
export async function connectV2(url: URL, onLog: (text: unknown) => void): Promise<ConnectedClient> {
  const client = new Client({ name: 'demo-client-v2', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(url)
  client.setNotificationHandler('notifications/message', ({ params }) => onLog(params.data))
  await client.connect(transport)
  return {
    client,
    transport,
    name: 'demo-client-v2',
    isWhole: () => client.transport === transport,
    sessionId: () => transport.sessionId,
    async count() {
      return countResult.parse((await client.callTool({ name: 'count' })).structuredContent)
    },
    terminateSession: () => transport.terminateSession(),
    close: () => client.close(),
  }
}
