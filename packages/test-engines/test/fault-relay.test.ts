import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { portRefuses } from '@mcp-session/test-processes'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, startFaultRelay, startPostgres, startRedis } from '../src/index.ts'

/** A client that neither reconnects nor repeats: what is lost is seen as lost. */
function clientOf(port: number) {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  })
  client.on('error', () => {})
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() })
}

async function socketTo(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

// `once` would reject on the error of a reset.
const endOf = (socket: Socket) =>
  new Promise<string | undefined>((resolve) => {
    let code: string | undefined
    socket.once('error', (error: NodeJS.ErrnoException) => {
      code = error.code
    })
    socket.once('close', () => resolve(code))
  })

describe('startFaultRelay', { timeout: 60_000 }, () => {
  let redis: Engine
  let direct: Redis
  beforeAll(async () => {
    redis = await startRedis()
    direct = new Redis(redis.url)
  }, 60_000)
  afterAll(async () => {
    direct.disconnect()
    await redis.close()
  })

  it('forwards both ways, of any size', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    using client = clientOf(relay.port)
    const big = 'x'.repeat(8 * 1024 * 1024)
    await client.set('big', big)
    expect(await client.get('big')).toBe(big)
  })

  it('passes the end of a connection on, in both directions', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    const socket = await socketTo(relay.port)
    socket.end('PING\r\n')
    expect(await socket.setEncoding('utf8').toArray()).toEqual(['+PONG\r\n'])
    const other = await socketTo(relay.port)
    const ended = endOf(other.resume())
    other.write('QUIT\r\n')
    expect(await ended).toBe(undefined)
  })

  it('black hole: nothing arrives, connections stay, and what was kept arrives once it is over', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    using client = clientOf(relay.port)
    await client.set('hole', 'before')
    relay.mode('black-hole')
    const written = client.set('hole', 'after')
    const late = await socketTo(relay.port)
    late.write('SET late 1\r\nQUIT\r\n')
    expect(await direct.get('hole')).toBe('before')
    expect(await direct.exists('late')).toBe(0)
    expect(client.status).toBe('ready')
    relay.mode('forward')
    expect(await written).toBe('OK')
    expect(await direct.get('hole')).toBe('after')
    expect(await late.setEncoding('utf8').toArray()).toEqual(expect.arrayContaining([expect.stringContaining('+OK')]))
    expect(await direct.get('late')).toBe('1')
  })

  it('reset: live connections and new ones are reset', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    const live = await socketTo(relay.port)
    live.write('PING\r\n')
    await once(live, 'data')
    const ended = endOf(live)
    relay.mode('reset')
    expect(await ended).toBe('ECONNRESET')
    const fresh = connect({ host: '127.0.0.1', port: relay.port })
    expect(await endOf(fresh)).toBe('ECONNRESET')
    relay.mode('forward')
    using client = clientOf(relay.port)
    expect(await client.ping()).toBe('PONG')
  })

  it('refuse: nobody listens, live connections are reset, and afterwards the same port serves', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    const live = await socketTo(relay.port)
    live.write('PING\r\n')
    await once(live, 'data')
    const ended = endOf(live)
    relay.mode('refuse')
    expect(await ended).toBe('ECONNRESET')
    expect(await portRefuses(relay.port)).toBe(true)
    relay.mode('forward')
    const patient = new Redis({ host: '127.0.0.1', port: relay.port, retryStrategy: () => 5 })
    patient.on('error', () => {})
    expect(await patient.ping()).toBe('PONG')
    patient.disconnect()
  })

  it('drop-replies: commands are executed and nothing comes back; leaving it resets who has lost a reply', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    const live = await socketTo(relay.port)
    const heard: string[] = []
    live.setEncoding('utf8').on('data', (text: string) => heard.push(text))
    live.write('PING\r\n')
    await once(live, 'data')
    relay.mode('drop-replies')
    const monitor = await direct.monitor()
    const seen = new Promise((resolve) => monitor.on('monitor', (_time, args: string[]) => args[1] === 'dropped' && resolve(args)))
    live.write('SET dropped 1\r\n')
    await seen
    monitor.disconnect()
    expect(await direct.get('dropped')).toBe('1')
    const ended = endOf(live)
    relay.mode('forward')
    expect(await ended).toBe('ECONNRESET')
    expect(heard).toEqual(['+PONG\r\n'])
  })

  it('dropRepliesAfter: the first command that matches is executed, its caller is cut off, others are not', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    using one = clientOf(relay.port)
    using two = clientOf(relay.port)
    await Promise.all([one.set('count', 0), two.ping()])
    const sprung = relay.dropRepliesAfter((bytes) => bytes.includes('incr'))
    expect(await one.set('harmless', 1)).toBe('OK')
    await expect(one.incr('count')).rejects.toThrow()
    await sprung
    expect(await direct.get('count')).toBe('1')
    expect(await two.incr('count')).toBe(2)
  })

  it('dropRepliesAfter: a command that comes in pieces is recognised', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    const socket = await socketTo(relay.port)
    socket.setNoDelay()
    socket.write('PING\r\n')
    await once(socket, 'data')
    const sprung = relay.dropRepliesAfter((bytes) => bytes.includes('SET pieces 1\r\n'))
    const ended = endOf(socket)
    for (const byte of 'SET pieces 1\r\n') socket.write(byte)
    await sprung
    expect(await ended).toBe('ECONNRESET')
    expect(await direct.get('pieces')).toBe('1')
  })

  it('dropRepliesAfter: a COMMIT of PostgreSQL is done although its caller never hears of it', async () => {
    await using postgres = await startPostgres()
    await using relay = await startFaultRelay({ target: postgres.port })
    const client = new Client({ host: '127.0.0.1', port: relay.port, user: 'postgres', database: 'postgres' })
    client.on('error', () => {})
    await client.connect()
    await client.query('create table t (n int)')
    await client.query('begin')
    await client.query('insert into t values (1)')
    const sprung = relay.dropRepliesAfter((bytes) => bytes.includes('commit'))
    await expect(client.query('commit')).rejects.toThrow()
    await sprung
    const other = new Client({ connectionString: postgres.url })
    await other.connect()
    expect((await other.query('select n from t')).rows).toEqual([{ n: 1 }])
    await other.end()
  })

  it('dropRepliesAfter rejects when the relay closes before such bytes come', async () => {
    const relay = await startFaultRelay({ target: redis.port })
    const failed = expect(relay.dropRepliesAfter(() => false)).rejects.toThrow('closed before')
    await relay.close()
    await failed
    expect(() => relay.mode('forward')).toThrow('closed')
  })

  it('delays what is said from then on, keeps its order, and refuses a delay that is none', async () => {
    await using relay = await startFaultRelay({ target: redis.port })
    using quick = clientOf(relay.port)
    using slow = clientOf(relay.port)
    await Promise.all([quick.ping(), slow.ping()])
    relay.delay(600_000)
    const late = expect(slow.set('slow', '1')).rejects.toThrow()
    expect(await direct.get('slow')).toBe(null)
    relay.delay(2)
    const numbers = Array.from({ length: 50 }, (_, n) => String(n))
    expect(await Promise.all(numbers.map((n) => quick.echo(n)))).toEqual(numbers)
    expect(await direct.get('slow')).toBe(null)
    for (const ms of [-1, Number.NaN]) expect(() => relay.delay(ms)).toThrow(RangeError)
    await relay.close()
    await late
  })

  it('resets its client when the target is down, and when it dies', async () => {
    await using engine = await startRedis()
    await using relay = await startFaultRelay({ target: engine.port })
    const live = await socketTo(relay.port)
    live.write('PING\r\n')
    await once(live, 'data')
    const ended = endOf(live)
    await engine.kill()
    await ended
    expect(await endOf(connect({ host: '127.0.0.1', port: relay.port }).resume())).toBe('ECONNRESET')
  })

  it('leaves no connection and no port when it closes, whatever it was doing', async () => {
    for (const mode of ['forward', 'black-hole', 'drop-replies', 'reset', 'refuse'] as const) {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const accepted = once(server, 'connection')
      const relay = await startFaultRelay({ target: (server.address() as { port: number }).port })
      const socket = await socketTo(relay.port)
      const [upstream] = await accepted
      const both = Promise.all([endOf(socket), endOf(upstream.resume())])
      relay.mode(mode)
      await relay.close()
      await relay.close()
      await both
      expect(await portRefuses(relay.port)).toBe(true)
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
