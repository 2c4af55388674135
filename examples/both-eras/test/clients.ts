import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'

export interface Answer {
  readonly text: string
  readonly isError: boolean
}

/** A stock client of a person, and the little of it that the tests need. */
export interface ShopClient {
  readonly sessionId: string | undefined
  call(name: string, args?: Record<string, unknown>): Promise<Answer>
  /** Descriptions of the tools, by name. */
  tools(): Promise<Record<string, string | undefined>>
  read(uri: string): Promise<string>
  /** What the person says to the next questions; before, yes. */
  willAnswer(buy: boolean): void
  readonly questions: readonly string[]
  close(): Promise<void>
}

export interface ModernClient extends ShopClient {
  /** Calls a tool that asks; the function given sends the answer yes, as often as it is called, with these or other arguments. */
  firstRound(name: string, args: Record<string, unknown>): Promise<(other?: Record<string, unknown>) => Promise<Answer>>
  /** Resolves when the client listens, to a promise of the next update. */
  listen(uri: string): Promise<{ readonly next: Promise<string> }>
}

const identity = { name: 'shopper', version: '1' }
const capabilities = { elicitation: { form: {} } }

export async function connectLegacyV1(url: URL, name: string): Promise<ShopClient> {
  const client = new ClientV1(identity, { capabilities })
  const transport = new TransportV1(url, { requestInit: { headers: bearer(name) } })
  const person = newPerson()
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => person.answer(params.message))
  await client.connect(transport)
  return {
    ...person,
    get sessionId() {
      return transport.sessionId
    },
    call: async (tool, args = {}) => answerOf(await client.callTool({ name: tool, arguments: args })),
    tools: async () => descriptions((await client.listTools()).tools),
    read: async (uri) => textOf((await client.readResource({ uri })).contents),
    close: () => client.close(),
  }
}

export async function connectLegacyV2(url: URL, name: string): Promise<ShopClient> {
  const transport = new TransportV2(url, { requestInit: { headers: bearer(name) } })
  const { client, shop } = await connectV2(new ClientV2(identity, { capabilities }), transport)
  if (client.getProtocolEra() !== 'legacy') throw new Error('the client is not in the legacy era')
  return {
    ...shop,
    get sessionId() {
      return transport.sessionId
    },
  }
}

export async function connectModern(url: URL, name: string): Promise<ModernClient> {
  const transport = new TransportV2(url, { requestInit: { headers: bearer(name) } })
  const { client, shop } = await connectV2(new ClientV2(identity, { capabilities, versionNegotiation: { mode: 'auto' } }), transport)
  if (client.getProtocolEra() !== 'modern') throw new Error('the client is not in the modern era')
  return {
    ...shop,
    sessionId: undefined,
    async firstRound(tool, args) {
      const first = await client.callTool({ name: tool, arguments: args }, { allowInputRequired: true })
      const requestState: unknown = Reflect.get(first, 'requestState')
      const inputResponses = { question: { action: 'accept', content: { buy: true } } }
      return async (other = args) =>
        answerOf(await client.request({ method: 'tools/call', params: { name: tool, arguments: other, requestState, inputResponses } }))
    },
    async listen(uri) {
      const next = new Promise<string>((resolve) => {
        client.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri))
      })
      await client.listen({ resourceSubscriptions: [uri] })
      return { next }
    },
  }
}

async function connectV2(client: ClientV2, transport: TransportV2): Promise<{ client: ClientV2; shop: Omit<ShopClient, 'sessionId'> }> {
  const person = newPerson()
  client.setRequestHandler('elicitation/create', ({ params }) => person.answer(params.message))
  await client.connect(transport)
  return {
    client,
    shop: {
      ...person,
      call: async (tool, args = {}) => answerOf(await client.callTool({ name: tool, arguments: args })),
      tools: async () => descriptions((await client.listTools()).tools),
      read: async (uri) => textOf((await client.readResource({ uri })).contents),
      close: () => client.close(),
    },
  }
}

function newPerson() {
  const questions: string[] = []
  let buy = true
  return {
    questions,
    willAnswer(given: boolean): void {
      buy = given
    },
    async answer(message: string) {
      questions.push(message)
      return { action: 'accept' as const, content: { buy } }
    },
  }
}

function bearer(name: string): Record<string, string> {
  return { authorization: `Bearer demo-${name}` }
}

function answerOf(result: Record<string, unknown>): Answer {
  return { text: textOf(result['content']), isError: result['isError'] === true }
}

function textOf(content: unknown): string {
  const [first]: unknown[] = Array.isArray(content) ? content : []
  return typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : JSON.stringify(content)
}

function descriptions(tools: readonly { name: string; description?: string | undefined }[]): Record<string, string | undefined> {
  return Object.fromEntries(tools.map(({ name, description }) => [name, description]))
}

/** A request of the legacy era, byte by byte. */
export function rawPost(url: URL, name: string | undefined, body: unknown, sessionId: string | undefined): Promise<Response> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...(name === undefined ? {} : bearer(name)),
    ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
  }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}
