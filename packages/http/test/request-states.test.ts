import { memoryBackend } from '@mcp-session/memory'
import type { Client } from '@modelcontextprotocol/client'
import { acceptedContent, inputRequired, McpServer, type McpServerFactory } from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createRequestStates, type RequestStates, type RequestStatesOptions } from '../src/request-states.ts'
import { connectModern, startModernNode } from './modern-nodes.ts'
import { sharedEngines, sharedStore } from './shared-store.ts'

const owner = '["issuer","alice"]'

async function open(backend = memoryBackend(), options: RequestStatesOptions = {}): Promise<RequestStates> {
  const states = await createRequestStates(backend, { cleanupIntervalMs: 0, ...options })
  onTestFinished(() => states.close())
  return states
}

describe('a request state', () => {
  it('is redeemed to its payload, once', async () => {
    const states = await open()
    const payload = { step: 2, total: 10n, at: new Date(5), secret: 'not on the wire' }
    const text = await states.issue(payload, { owner })
    expect(text).toMatch(/^rs_[\w-]{43}$/)
    expect(await states.redeem(text, { owner })).toEqual(payload)
    expect(await states.redeem(text, { owner })).toBeUndefined()
  })

  it.each(['memory', ...sharedEngines] as const)(
    'is redeemed by exactly one of many on %s, whatever node they are on',
    { timeout: 30_000 },
    async (engine) => {
      const next = await sharedStore(engine)
      const nodes = await Promise.all(
        [1, 2, 3].map(async () => {
          const states = await createRequestStates(next(), { cleanupIntervalMs: 0 })
          onTestFinished(() => states.close())
          return states
        }),
      )
      for (let round = 0; round < 5; round += 1) {
        const text = (await nodes[0]?.issue(`round ${round}`, { owner })) ?? ''
        const redeemed = await Promise.all([...nodes, ...nodes, ...nodes].map((states) => states.redeem(text, { owner })))
        expect(redeemed.filter((payload) => payload !== undefined)).toEqual([`round ${round}`])
      }
    },
  )

  it('is nothing to another principal, who does not spend it', async () => {
    const states = await open()
    const text = await states.issue('mine', { owner })
    for (const stranger of ['["issuer","mallory"]', null]) expect(await states.redeem(text, { owner: stranger })).toBeUndefined()
    expect(await states.redeem(text, { owner })).toBe('mine')
  })

  it('belongs to its request, and is spent by another one', async () => {
    const states = await open()
    const binding = { owner, request: 'tools/call pay cart_1' }
    const [right, wrong, none] = await Promise.all([1, 2, 3].map((step) => states.issue(step, binding)))
    expect(await states.redeem(right ?? '', binding)).toBe(1)
    expect(await states.redeem(wrong ?? '', { owner, request: 'tools/call pay cart_2' })).toBeUndefined()
    expect(await states.redeem(wrong ?? '', binding)).toBeUndefined()
    expect(await states.redeem(none ?? '', { owner })).toBeUndefined()
  })

  it('expires', async () => {
    const clock = { now: 1_000 }
    const states = await open(memoryBackend(), { now: () => clock.now })
    const [early, late] = await Promise.all(['early', 'late'].map((payload) => states.issue(payload, { owner })))
    clock.now += 599_999
    expect(await states.redeem(early ?? '', { owner })).toBe('early')
    clock.now += 1
    expect(await states.redeem(late ?? '', { owner })).toBeUndefined()
  })

  it('is nothing else than the text that was issued', async () => {
    const backend = memoryBackend()
    const states = await open(backend)
    const others = await open(backend, { kind: 'other' })
    const text = await states.issue('payload', { owner })
    for (const forged of ['', 'rs_', text.slice(0, -1), `${text}A`, text.replace('rs_', 's_'), text.replace('rs_', 'other_')]) {
      expect(await states.redeem(forged, { owner })).toBeUndefined()
      expect(await others.redeem(forged, { owner })).toBeUndefined()
    }
    expect(await states.redeem(text, { owner })).toBe('payload')
  })

  it('has an owner and a payload', async () => {
    const states = await open()
    const nobody = { owner: undefined } as unknown as { owner: string }
    await expect(states.issue('x', nobody)).rejects.toThrow(TypeError)
    await expect(states.redeem('rs_x', nobody)).rejects.toThrow(TypeError)
    await expect(states.issue(undefined, { owner })).rejects.toThrow('payload must be a value')
  })

  it('survives the process that issued it', async () => {
    const next = await sharedStore('sqlite')
    await using before = await createRequestStates<string>(next())
    const text = await before.issue('kept', { owner })
    await before.close()
    await using after = await createRequestStates<string>(next())
    expect(await after.redeem(text, { owner })).toBe('kept')
  })
})

/** A transfer asks before it pays; `paid` is what really happened. */
function paying(states: RequestStates, paid: string[]): McpServerFactory {
  return ({ authInfo }) => {
    const principal = JSON.stringify([authInfo?.clientId])
    const server = new McpServer({ name: 'bank', version: '1' }, { requestState: states.serverOption({ owner: principal }) })
    server.registerTool('pay', { inputSchema: z.object({ amount: z.number() }) }, async ({ amount }, { mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'sure', z.object({ sure: z.boolean() }))
      const asked = mcpReq.requestState<{ amount: number }>()
      if (asked === undefined || answer === undefined) {
        const requestState = await states.issue({ amount }, { owner: principal })
        const requestedSchema = z.object({ sure: z.boolean() })
        return inputRequired({ requestState, inputRequests: { sure: inputRequired.elicit({ message: 'Sure?', requestedSchema }) } })
      }
      paid.push(`${asked.amount} by ${authInfo?.clientId}`)
      return { content: [{ type: 'text', text: `paid ${asked.amount}` }] }
    })
    return server
  }
}

/** The first round by hand, so that the second one can be sent again. */
async function askToPay(client: Client, amount: number): Promise<Record<string, unknown>> {
  const first = await client.callTool({ name: 'pay', arguments: { amount } }, { allowInputRequired: true })
  expect(first).toMatchObject({ resultType: 'input_required', requestState: expect.stringMatching(/^rs_/) })
  const requestState: unknown = Reflect.get(first, 'requestState')
  return { name: 'pay', arguments: { amount }, requestState, inputResponses: { sure: { action: 'accept', content: { sure: true } } } }
}

describe('a tool of SDK v2 that asks the client', { timeout: 20_000 }, () => {
  it('gets its state back through the stock client, on another node as well', async () => {
    const next = await sharedStore('sqlite')
    const paid: string[] = []
    const nodes = await Promise.all(
      [1, 2].map(async () => {
        const states = await createRequestStates(next(), { cleanupIntervalMs: 0 })
        onTestFinished(() => states.close())
        return startModernNode(next(), paying(states, paid))
      }),
    )
    const client = await connectModern(nodes[0]?.url ?? new URL('http://none'), 'alice')
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { sure: true } }))
    expect(await client.callTool({ name: 'pay', arguments: { amount: 5 } })).toMatchObject({ content: [{ text: 'paid 5' }] })
    const second = await askToPay(client, 6)
    const elsewhere = await connectModern(nodes[1]?.url ?? new URL('http://none'), 'alice')
    expect(await elsewhere.request({ method: 'tools/call', params: second })).toMatchObject({ content: [{ text: 'paid 6' }] })
    expect(paid).toEqual(['5 by alice', '6 by alice'])
  })

  it('refuses a state that is sent again, at once or later, and one of another principal', async () => {
    const next = await sharedStore('sqlite')
    const states = await createRequestStates(next(), { cleanupIntervalMs: 0 })
    onTestFinished(() => states.close())
    const paid: string[] = []
    const { url } = await startModernNode(next(), paying(states, paid))
    const [alice, mallory] = [await connectModern(url, 'alice'), await connectModern(url, 'mallory')]
    const params = await askToPay(alice, 7)
    const refused = { code: -32602, message: expect.stringContaining('Invalid or expired requestState') }
    await expect(mallory.request({ method: 'tools/call', params })).rejects.toMatchObject(refused)
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => alice.request({ method: 'tools/call', params })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(refused)
    await expect(alice.request({ method: 'tools/call', params })).rejects.toMatchObject(refused)
    expect(paid).toEqual(['7 by alice'])
  })
})
