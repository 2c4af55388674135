import { existsSync } from 'node:fs'
import { pidIsGone, portRefuses } from '@mcp-session/test-processes'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { startRedis } from '../src/index.ts'
import { stateOf } from './process-facts.ts'

function clientOf(url: string, password?: string) {
  const client = new Redis(url, { retryStrategy: () => null, ...(password === undefined ? {} : { password }) })
  client.on('error', () => {})
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() })
}

describe('startRedis', { timeout: 60_000 }, () => {
  it('answers on a free port of its own, as the process that pids names', async () => {
    await using one = await startRedis()
    await using two = await startRedis()
    expect([one.owned, one.url, one.port === two.port]).toEqual([true, `redis://127.0.0.1:${one.port}`, false])
    using client = clientOf(one.url)
    const [pid] = await one.pids()
    expect(await client.info('server')).toContain(`process_id:${pid}\r`)
  })

  it('keeps every acknowledged write through kill and start, on the same port', async () => {
    await using engine = await startRedis()
    using before = clientOf(engine.url)
    const pids = await engine.pids()
    await Promise.all(Array.from({ length: 500 }, (_, i) => before.set(`key-${i}`, i)))
    await engine.kill()
    expect(pids.map(pidIsGone)).toEqual([true])
    expect(await portRefuses(engine.port)).toBe(true)
    expect(await engine.pids()).toEqual([])
    await engine.start()
    using after = clientOf(engine.url)
    expect(await after.dbsize()).toBe(500)
    expect(await engine.pids()).not.toEqual(pids)
  })

  it('says nothing while it is paused, and answers what was asked meanwhile once it goes on', async () => {
    await using engine = await startRedis()
    using client = clientOf(engine.url)
    await client.ping()
    const [pid = 0] = await engine.pids()
    await engine.pause()
    expect(stateOf(pid)).toBe('T')
    const happened: string[] = []
    const answered = client.ping().then(() => happened.push('answered'))
    await engine.pids()
    happened.push('resuming')
    await engine.resume()
    await answered
    expect(happened).toEqual(['resuming', 'answered'])
    expect(stateOf(pid)).not.toBe('T')
  })

  it('dies while it is paused', async () => {
    await using engine = await startRedis()
    const [pid = 0] = await engine.pids()
    await engine.pause()
    await engine.kill()
    expect(pidIsGone(pid)).toBe(true)
  })

  it('leaves neither process nor data when it is closed, paused or not', async () => {
    for (const paused of [false, true]) {
      const engine = await startRedis()
      using client = clientOf(engine.url)
      const [, folder = ''] = (await client.config('GET', 'dir')) as string[]
      expect(existsSync(folder)).toBe(true)
      const [pid = 0] = await engine.pids()
      if (paused) await engine.pause()
      await engine.close()
      await engine.close()
      expect([pidIsGone(pid), await portRefuses(engine.port), existsSync(folder)]).toEqual([true, true, false])
      await expect(engine.start()).rejects.toThrow('is closed')
    }
  })

  it('appends every write to its file at once, unless the config says otherwise', async () => {
    await using strict = await startRedis()
    await using lax = await startRedis({ config: { appendonly: 'no', maxmemory: '8mb', requirepass: 'secret' } })
    const told = async (url: string, name: string, password?: string) => {
      using client = clientOf(url, password)
      return ((await client.config('GET', name)) as string[])[1]
    }
    expect(await told(strict.url, 'appendonly')).toBe('yes')
    expect(await told(strict.url, 'appendfsync')).toBe('always')
    expect(await told(strict.url, 'save')).toBe('')
    expect(await told(lax.url, 'appendonly', 'secret')).toBe('no')
    expect(await told(lax.url, 'maxmemory', 'secret')).toBe(String(8 * 1024 * 1024))
  })

  it('says what the server said when it does not start', async () => {
    await expect(startRedis({ config: { 'no-such-setting': '1' } })).rejects.toThrow(/ended before it answered.*no-such-setting/s)
  })

  it('refuses to pause what is down, and to start what runs', async () => {
    await using engine = await startRedis()
    await expect(engine.start()).rejects.toThrow('runs already')
    await engine.kill()
    await expect(engine.pause()).rejects.toThrow('does not run')
    await expect(engine.kill()).rejects.toThrow('does not run')
  })
})
