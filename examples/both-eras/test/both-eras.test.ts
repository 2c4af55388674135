import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pidIsGone, type RunningNode, startNode } from '@mcp-session/test-processes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { optionsOf } from '../src/options.ts'
import { connectLegacyV1, connectLegacyV2, connectModern, rawPost } from './clients.ts'

const script = new URL('../src/main.ts', import.meta.url)
const start = (...args: string[]) => startNode({ script, args, ready: /^listening on / })
const urlOf = (server: RunningNode) => new URL(server.readyLine.replace('listening on ', ''))
const noCart = /^There is no such cart: .* Call create_cart for a new one, and give the handle that it returns\.$/

describe('the shop of both eras', { timeout: 60_000 }, () => {
  let folder = ''
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-session-both-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const newStore = () => join(folder, `${++count}.db`)

  it('keeps handles and sessions through kill -9', async () => {
    const store = newStore()
    const first = await start('--store', store)
    const modern = await connectModern(urlOf(first), 'alice')
    const legacy = await connectLegacyV2(urlOf(first), 'alice')
    const cart = await modern.call('create_cart')
    expect(cart.text).toMatch(/^cart_[\w-]{43}$/)
    expect(await modern.call('add_to_cart', { cart: cart.text, item: 'apple' })).toEqual({ text: '1 × apple', isError: false })
    expect(await legacy.call('add_to_cart', { item: 'pear' })).toEqual({ text: '1 × pear', isError: false })
    const { sessionId = '' } = legacy
    expect(sessionId).toMatch(/^s_/)
    await modern.close()
    await legacy.close()
    await first.kill('SIGKILL')
    expect(pidIsGone(first.pid)).toBe(true)

    await using second = await start('--store', store)
    const again = await connectModern(urlOf(second), 'alice')
    expect(await again.call('add_to_cart', { cart: cart.text, item: 'apple' })).toEqual({ text: '2 × apple', isError: false })
    const params = { name: 'add_to_cart', arguments: { item: 'pear' } }
    const resumed = await rawPost(urlOf(second), 'alice', { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, sessionId)
    expect(await resumed.text()).toContain('2 × pear')
    await again.close()
  })

  it('refuses foreign, expired, bought and invented handles with one text that names the tool to call', async () => {
    const store = newStore()
    await using server = await start('--store', store)
    await using hasty = await start('--store', store, '--cart-ttl-ms', '0')
    const [alice, mallory] = [await connectModern(urlOf(server), 'alice'), await connectModern(urlOf(server), 'mallory')]
    const hurried = await connectModern(urlOf(hasty), 'alice')
    const cart = (await alice.call('create_cart')).text
    const expired = (await hurried.call('create_cart')).text
    const bought = (await alice.call('create_cart')).text
    await alice.call('add_to_cart', { cart: bought, item: 'apple' })
    await alice.call('check_out', { cart: bought })
    const refused = [
      await mallory.call('add_to_cart', { cart, item: 'apple' }),
      await mallory.call('check_out', { cart }),
      await alice.call('add_to_cart', { cart: expired, item: 'apple' }),
      await alice.call('add_to_cart', { cart: bought, item: 'apple' }),
      await alice.call('add_to_cart', { cart: 'cart_invented', item: 'apple' }),
      await alice.call('add_to_cart', { cart: 's_invented', item: 'apple' }),
    ]
    expect(refused[0]).toEqual({ text: expect.stringMatching(noCart), isError: true })
    expect(new Set(refused.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(await alice.call('add_to_cart', { cart, item: 'apple' })).toMatchObject({ isError: false })
    for (const client of [alice, mallory, hurried]) await client.close()
  })

  it('answers 404 to a handle that is sent as a session id, and 401 to nobody', async () => {
    await using server = await start('--store', newStore())
    const modern = await connectModern(urlOf(server), 'alice')
    const legacy = await connectLegacyV1(urlOf(server), 'alice')
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    const cart = (await modern.call('create_cart')).text
    expect((await rawPost(urlOf(server), 'alice', list, cart)).status).toBe(404)
    expect((await rawPost(urlOf(server), 'mallory', list, legacy.sessionId)).status).toBe(404)
    expect((await rawPost(urlOf(server), 'alice', list, legacy.sessionId)).status).toBe(200)
    expect((await rawPost(urlOf(server), undefined, list, legacy.sessionId)).status).toBe(401)
    await expect(connectModern(urlOf(server), 'NOBODY')).rejects.toThrow()
    await modern.close()
    await legacy.close()
  })

  it('says in the tool description how long a cart lives', async () => {
    await using server = await start('--store', newStore(), '--cart-ttl-ms', '120000')
    const modern = await connectModern(urlOf(server), 'alice')
    expect((await modern.tools())['create_cart']).toMatch(/lives for 2 minutes after its last use, at most a day, .* Only you can use it\./)
    await modern.close()
  })

  it.each([
    ['legacy SDK 1', connectLegacyV1],
    ['legacy SDK 2', connectLegacyV2],
  ] as const)('asks before it buys, and sells a cart once, to a %s client', async (_era, connect) => {
    await using server = await start('--store', newStore())
    const client = await connect(urlOf(server), 'alice')
    expect(await client.tools()).not.toHaveProperty('create_cart')
    await client.call('add_to_cart', { item: 'apple' })
    client.willAnswer(false)
    expect((await client.call('check_out')).text).toBe('Nothing was bought. The cart is as it was.')
    client.willAnswer(true)
    expect((await client.call('check_out')).text).toBe('Bought 1 × apple. Order number 1.')
    expect(client.questions).toEqual(['Buy 1 × apple?', 'Buy 1 × apple?'])
    expect((await client.call('check_out')).text).toBe('The cart is empty: call add_to_cart first.')
    expect(await client.read('shop://orders')).toBe('1')
    await client.close()
  })

  it('asks before it buys, and sells a cart once, to a modern client that answers twice', async () => {
    await using server = await start('--store', newStore())
    const client = await connectModern(urlOf(server), 'alice')
    const cart = (await client.call('create_cart')).text
    await client.call('add_to_cart', { cart, item: 'apple' })
    client.willAnswer(false)
    expect((await client.call('check_out', { cart })).text).toBe('Nothing was bought. The cart is as it was.')
    const answered = await client.firstRound('check_out', { cart })
    const outcomes = (await Promise.all([answered(), answered(), answered()])).map(({ text }) => text)
    expect(outcomes.toSorted().at(0)).toBe('Bought 1 × apple. Order number 1.')
    expect(outcomes.filter((text) => text.startsWith('This question was answered already'))).toHaveLength(2)
    expect((await answered()).isError).toBe(true)
    expect(await client.read('shop://orders')).toBe('1')
    await client.close()
  })

  it('takes the answer about one cart for no other one', async () => {
    await using server = await start('--store', newStore())
    const client = await connectModern(urlOf(server), 'alice')
    const [one, two] = [(await client.call('create_cart')).text, (await client.call('create_cart')).text]
    expect(await client.call('check_out', { cart: one })).toEqual({ text: 'The cart is empty: call add_to_cart first.', isError: true })
    for (const cart of [one, two]) await client.call('add_to_cart', { cart, item: 'apple' })
    const answered = await client.firstRound('check_out', { cart: one })
    expect(await answered({ cart: two })).toMatchObject({
      text: expect.stringMatching(/^This question was answered already/),
      isError: true,
    })
    await client.close()
  })

  it('tells listeners in one process what another process sold', async () => {
    const store = newStore()
    await using one = await start('--store', store)
    await using two = await start('--store', store)
    const listener = await connectModern(urlOf(one), 'bob')
    const updated = await listener.listen('shop://orders')
    const buyer = await connectLegacyV2(urlOf(two), 'alice')
    await buyer.call('add_to_cart', { item: 'apple' })
    buyer.willAnswer(true)
    await buyer.call('check_out')
    expect(await updated.next).toBe('shop://orders')
    expect(await listener.read('shop://orders')).toBe('1')
    await listener.close()
    await buyer.close()
  })

  it('ends in order at SIGTERM while clients listen', async () => {
    await using server = await start('--store', newStore())
    const modern = await connectModern(urlOf(server), 'alice')
    const legacy = await connectLegacyV2(urlOf(server), 'alice')
    await modern.listen('shop://orders')
    await legacy.call('add_to_cart', { item: 'apple' })
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(server.stderr()).toBe('')
    await modern.close()
    await legacy.close()
  })
})

describe('optionsOf', () => {
  it('has defaults', () => {
    expect(optionsOf([])).toEqual({ store: 'shop.db', port: 0, cartTtlMs: 1_800_000 })
  })

  it.each([
    [['--port', '65536'], '--port is a whole number up to 65535, not 65536'],
    [['--cart-ttl-ms', '1e3'], '--cart-ttl-ms is a whole number up to 2147483648, not 1e3'],
    [['--colour'], "'--colour'"],
  ])('refuses %j', (args, message) => {
    expect(() => optionsOf(args)).toThrow(message)
  })
})
