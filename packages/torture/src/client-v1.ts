import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CallToolResultSchema, ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import type { ClientEars, FetchLike, SdkClient } from './stock-client.ts'
import { callOptions, textOf } from './tool-call.ts'

/** The client of SDK 1.x with stock options. */
export async function connectV1(url: URL, ears: ClientEars, fetch: FetchLike): Promise<SdkClient> {
  const client = new Client({ name: 'torture-v1', version: '1' }, { capabilities: { elicitation: {} } })
  const transport = new StreamableHTTPClientTransport(url, { fetch })
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => ears.log(params.data))
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ action: 'accept', content: { word: ears.asked(params.message) } }))
  await client.connect(transport)
  return {
    sessionId: () => transport.sessionId,
    async call(name, args = {}, hears = {}) {
      const options = callOptions(hears)
      return textOf(await client.callTool({ name, arguments: args }, CallToolResultSchema, options))
    },
    close: () => client.close(),
  }
}
