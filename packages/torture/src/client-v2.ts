import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { ClientEars, FetchLike, SdkClient } from './stock-client.ts'
import { callOptions, textOf } from './tool-call.ts'

/** The client of SDK 2.x with stock options. */
export async function connectV2(url: URL, ears: ClientEars, fetch: FetchLike): Promise<SdkClient> {
  const client = new Client({ name: 'torture-v2', version: '1' }, { capabilities: { elicitation: {} } })
  const transport = new StreamableHTTPClientTransport(url, { fetch })
  client.setNotificationHandler('notifications/message', ({ params }) => ears.log(params.data))
  client.setRequestHandler('elicitation/create', ({ params }) => ({ action: 'accept', content: { word: ears.asked(params.message) } }))
  await client.connect(transport)
  return {
    sessionId: () => transport.sessionId,
    async call(name, args = {}, hears = {}) {
      const options = callOptions(hears)
      return textOf(await client.callTool({ name, arguments: args }, options))
    },
    close: () => client.close(),
  }
}
