import { readFile } from 'node:fs/promises'
import { McpServer } from '@modelcontextprotocol/server'
import { expect, it, onTestFinished } from 'vitest'
import { listen } from './listening.ts'
import { connectModern } from './modern-nodes.ts'
import { knownSession, rawClient, sseEvents } from './raw-client.ts'
import { answer, close } from './readme-both-eras.ts'
import { transportOf } from './readme-own-transport.ts'
import { sharedStore } from './shared-store.ts'
import { sendResponse, webRequest } from './web-standard.ts'

it.each(['readme-both-eras.ts', 'readme-own-transport.ts'])('the README shows %s, which is type-checked and run here', async (file) => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = await readFile(new URL(file, import.meta.url), 'utf8')
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
})

it('serves both eras at one URL, and a handle to its principal only', async () => {
  onTestFinished(close)
  const listening = await listen(async (req, res) => {
    const clientId = req.headers.authorization?.replace('Bearer ', '') ?? 'legacy'
    await sendResponse(res, await answer(await webRequest(req), { token: clientId, clientId, scopes: [] }))
  })
  onTestFinished(() => listening.close())
  const [alice, mallory] = [await connectModern(listening.url, 'alice'), await connectModern(listening.url, 'mallory')]
  const made = await alice.callTool({ name: 'create_cart' })
  expect(made.content).toEqual([{ type: 'text', text: expect.stringMatching(/^cart_[\w-]{43}$/) }])
  const [content] = made.content
  const cart = content?.type === 'text' ? content.text : ''
  const add = { name: 'add_to_cart', arguments: { cart, item: 'apple' } }
  expect(await alice.callTool(add)).toMatchObject({ content: [{ text: 'apple' }] })
  expect(await mallory.callTool(add)).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('Call create_cart') }] })
  expect((await rawClient(listening.url)).sessionId).toMatch(/^s_/)
  expect((await knownSession(listening.url, cart).call('add_to_cart')).status).toBe(404)
})

it('resumes a stream of an SDK transport in the next one of the session', async () => {
  const next = await sharedStore('sqlite')
  const connect = async () => {
    const transport = await transportOf(next(), 'a-uuid')
    const server = new McpServer({ name: 'own', version: '1' }, { capabilities: { logging: {} } })
    await server.connect(transport)
    onTestFinished(() => transport.close())
    const { sessionId } = await rawClient(new URL('http://localhost/mcp'), { send: (request) => transport.handleRequest(request) })
    const client = knownSession(new URL('http://localhost/mcp'), sessionId, { send: (request) => transport.handleRequest(request) })
    return { client, say: (data: string) => server.sendLoggingMessage({ level: 'info', data }), close: () => transport.close() }
  }
  const first = await connect()
  const events = sseEvents(await first.client.get())
  await first.say('a')
  const seen = await events.next()
  expect(seen?.data).toContain('"a"')
  await first.say('b')
  await first.close()
  const second = await connect()
  const resumed = sseEvents(await second.client.get({ 'last-event-id': seen?.id ?? '' }))
  expect((await resumed.next())?.data).toContain('"b"')
  expect((await second.client.delete()).status).toBe(200)
})
