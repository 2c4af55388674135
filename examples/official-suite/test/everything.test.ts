import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from '@mcp-session/test-processes'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plan } from '../src/plan.ts'
import { startTarget, type Target } from '../src/targets.ts'

let folder = ''
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-session-everything-'))
})
afterAll(() => rm(folder, { recursive: true }))

const start = (target: Target) => startTarget(target, join(folder, `${files++}.db`))

async function connect(url: string) {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { sampling: {}, elicitation: {} } })
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    const [first] = params.messages
    return { role: 'assistant', model: 'none', content: { type: 'text', text: `re: ${JSON.stringify(first?.content)}` } }
  })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { username: 'ann', email: 'ann@example.com' } }))
  const transport = new StreamableHTTPClientTransport(new URL(url))
  // The SDK's own types do not agree with exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  return { client, id: String(transport.sessionId) }
}

// What they have in common with the other targets is left to the suite.
const tried = ['stock v1', 'stock v2', 'v1+v2', 'v1+v2 json']
const targets = plan.targets.filter(({ name }) => tried.includes(name))

it('is tried in both forms, behind both transports', () => {
  expect(targets.map(({ name }) => name)).toEqual(tried)
})

describe.each(targets.map((target) => ({ name: target.name, target })))('$name', { timeout: 60_000 }, ({ target }) => {
  it('answers what the suite asks for', async () => {
    await using running = await start(target)
    const { client, id } = await connect(running.url)

    const { tools } = await client.listTools()
    expect(tools).toHaveLength(14)
    expect(tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $defs: { address: { $anchor: 'addressDef' } },
      properties: { address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    })

    const sampled = await client.callTool({ name: 'test_sampling', arguments: { prompt: 'hello' } })
    expect(sampled.content).toEqual([{ type: 'text', text: 'LLM response: re: {"type":"text","text":"hello"}' }])
    const elicited = await client.callTool({ name: 'test_elicitation', arguments: { message: 'who?' } })
    expect(elicited.content).toEqual([
      { type: 'text', text: 'User response: action=accept, content={"username":"ann","email":"ann@example.com"}' },
    ])
    const progress: number[] = []
    const onprogress = (told: { progress: number }) => progress.push(told.progress)
    await client.callTool({ name: 'test_tool_with_progress' }, undefined, { onprogress })
    expect(progress).toEqual([0, 50, 100])
    expect(await client.callTool({ name: 'test_error_handling' })).toMatchObject({ isError: true })

    const ref = { type: 'ref/prompt' as const, name: 'test_prompt_with_arguments' }
    const { completion } = await client.complete({ ref, argument: { name: 'arg1', value: 'par' } })
    expect(completion.values).toEqual(['paris', 'park', 'party'])
    const read = await client.readResource({ uri: 'test://template/123/data' })
    expect(read.contents).toMatchObject([{ text: '{"id":"123","templateTest":true,"data":"Data for ID: 123"}' }])
    await client.close()

    const form = await fetch(running.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'Mcp-Session-Id': id,
        'MCP-Protocol-Version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'form', method: 'ping' }),
    })
    expect(form.headers.get('content-type')).toBe(target.answers === 'json' ? 'application/json' : 'text/event-stream')
    await form.body?.cancel()
    // Every node of a cluster has had its share of the session.
    expect(running.requests().filter((count) => count < 3)).toEqual([])
    expect(running.requests()).toHaveLength(target.nodes.length > 1 ? target.nodes.length : 0)
  })
})

describe.each(['v1', 'v2'])('a process with SDK %s', { timeout: 60_000 }, (sdk) => {
  it('keeps subscriptions by session, and ends in order at SIGTERM', async () => {
    await using server = await startNode({
      script: new URL('../src/main.ts', import.meta.url),
      args: ['--sdk', sdk],
      ready: /^listening on /,
    })
    const url = server.readyLine.replace('listening on ', '')
    const [one, other] = [await connect(url), await connect(url)]
    const uri = 'test://watched-resource'
    const textFor = async ({ client }: typeof one) => (await client.readResource({ uri })).contents
    await one.client.subscribeResource({ uri })
    expect(await textFor(one)).toMatchObject([{ text: 'Watched by this session.' }])
    expect(await textFor(other)).toMatchObject([{ text: 'Not watched by this session.' }])
    await one.client.unsubscribeResource({ uri })
    expect(await textFor(one)).toMatchObject([{ text: 'Not watched by this session.' }])
    await one.client.close()
    await other.client.close()
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })
})
