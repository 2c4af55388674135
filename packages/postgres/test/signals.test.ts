import { startFaultRelay, startPgBouncer, startPostgres } from '@mcp-session/test-engines'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call, engineOfFile, newSchema, opened, sql, throughPort } from './fixtures.ts'

const server = engineOfFile(startPostgres)

describe('signals', () => {
  it('carry channels of 255 characters and messages of 1 KiB unchanged, to every node', async () => {
    const { url } = server
    const schema = newSchema(url)
    const [one, other] = [await opened({ url, schema }), await opened({ url, schema })]
    const channel = `'";--%*?[]{}\\ ${'é€😀'.repeat(60)}`
    for (const message of ['\u0000\n"\''.repeat(256), '\u0001'.repeat(1_024), '']) {
      const here = listening()
      const there = listening()
      await one.signals?.subscribe(channel, here.listener)
      await other.signals?.subscribe(channel, there.listener)
      await one.signals?.publish(channel, message, call())
      expect(await here.heard(1)).toEqual([message])
      expect(await there.heard(1)).toEqual([message])
    }
  })

  it('of one store do not reach another', async () => {
    const { url } = server
    const [one, other] = [await opened({ url, schema: newSchema(url) }), await opened({ url, schema: newSchema(url) })]
    const here = listening()
    const there = listening()
    await one.signals?.subscribe('c', here.listener)
    await other.signals?.subscribe('c', there.listener)
    await one.signals?.publish('c', 'for one', call())
    await other.signals?.publish('c', 'for the other', call())
    expect([await here.heard(1), await there.heard(1)]).toEqual([['for one'], ['for the other']])
  })

  it('say "look at everything" after the connection that listens was gone, and go on', async () => {
    const { url } = server
    const backend = await opened({ url, schema: newSchema(url) })
    const here = listening()
    await backend.signals?.subscribe('c', here.listener)
    await sql(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LISTEN%' AND pid <> pg_backend_pid()`)
    expect(await here.heard(1)).toEqual([undefined])
    await backend.signals?.publish('c', 'again', call())
    expect(await here.heard(2)).toEqual([undefined, 'again'])
  })

  it('say so too where the connection was lost in silence', async () => {
    const { engine, url } = server
    const relay = await startFaultRelay({ target: engine.port })
    onTestFinished(() => relay.close())
    const backend = await opened({ url, schema: newSchema(url), listenUrl: throughPort(url, relay.port) })
    const here = listening()
    await backend.signals?.subscribe('c', here.listener)
    relay.mode('drop-replies')
    await backend.signals?.publish('c', 'lost', call())
    // The heartbeat finds out.
    relay
      .dropRepliesAfter((bytes) => bytes.includes('SELECT 1'))
      .then(
        () => relay.mode('forward'),
        () => {},
      )
    expect(await here.heard(1)).toEqual([undefined])
    await backend.signals?.publish('c', 'heard', call())
    expect(await here.heard(2)).toEqual([undefined, 'heard'])
  }, 60_000)

  it('that do not arrive because of a pooler are told by health, and everything else works', async () => {
    const { engine, url } = server
    const pooler = await startPgBouncer({ target: engine, poolSize: 4 })
    onTestFinished(() => pooler.close())
    const schema = newSchema(url)
    const lost = await opened({ url: pooler.url, schema })
    await lost.signals?.subscribe('c', () => {})
    await lost.signals?.publish('c', 'x', call())
    expect((await lost.health(call())).warnings.map(({ code }) => code)).toContain('postgres-no-signals')
    const direct = await opened({ url: pooler.url, listenUrl: url, schema })
    const here = listening()
    await direct.signals?.subscribe('c', here.listener)
    await lost.signals?.publish('c', 'arrives', call())
    expect(await here.heard(1)).toEqual(['arrives'])
    expect((await direct.health(call())).warnings).toEqual([])
  }, 60_000)

  it('are heard beside a lent pool, on a connection like those of the pool', async () => {
    const { url } = server
    const pool = new pg.Pool({ connectionString: url, application_name: 'lent' })
    onTestFinished(() => pool.end())
    const backend = await opened({ pool, schema: newSchema(url) })
    const here = listening()
    await backend.signals?.subscribe('c', here.listener)
    const listeners = `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'lent' AND query LIKE '%LISTEN%'`
    expect(await sql(url, listeners)).toEqual([[1]])
    await backend.signals?.publish('c', '1', call())
    expect(await here.heard(1)).toEqual(['1'])
    await backend.close()
    await expect.poll(() => sql(url, listeners), { timeout: 10_000 }).toEqual([[0]])
  })
})

/** A listener, and a way to wait until it has heard so many messages. */
function listening() {
  const messages: (string | undefined)[] = []
  let onMessage = () => {}
  return {
    listener(message: string | undefined): void {
      messages.push(message)
      onMessage()
    },
    heard(count: number): Promise<(string | undefined)[]> {
      return new Promise((resolve) => {
        onMessage = () => {
          if (messages.length >= count) resolve([...messages])
        }
        onMessage()
      })
    },
  }
}
