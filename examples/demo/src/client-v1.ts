import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { type ConnectedClient, countResult } from './connected-client.ts'

/** The client of SDK 1.x with stock options. */
export async function connectV1(url: URL, onLog: (text: unknown) => void): Promise<ConnectedClient> {
  const client = new Client({ name: 'demo-client-v1', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(url)
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => onLog(params.data))
  await client.connect(transport)
  return {
    client,
    transport,
    name: 'demo-client-v1',
    isWhole: () => client.transport === transport,
    sessionId: () => transport.sessionId,
    async count() {
      return countResult.parse((await client.callTool({ name: 'count' })).structuredContent)
    },
    terminateSession: () => transport.terminateSession(),
    close: () => client.close(),
  }
}
