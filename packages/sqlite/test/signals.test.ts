import { describe, expect, it } from 'vitest'
import { startChild } from './child-process.ts'
import { call, newPath, opened, rawDatabase } from './fixtures.ts'

describe('signals', () => {
  it('reach other processes and this one, each listener once', { timeout: 30_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path })
    const child = startChild()
    await child.run({ do: 'open', options: { path } })
    const here = listening()
    await backend.signals?.subscribe('c', here.listener)
    await child.run({ do: 'publish', channel: 'c', messages: ['1', '2', '3'] })
    expect(await here.heard(3)).toEqual(['1', '2', '3'])
    await child.run({ do: 'publish', channel: 'other', messages: ['x'] })
    await backend.signals?.publish('c', '4', call())
    expect(await here.heard(4)).toEqual(['1', '2', '3', '4'])

    await child.run({ do: 'subscribe', channel: 'c' })
    await backend.signals?.publish('c', '5', call())
    expect(await child.next()).toEqual({ heard: '5' })
    expect(await here.heard(5)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('say "look at everything" where some are gone before they were seen', async () => {
    const path = newPath()
    const backend = await opened({ path })
    const here = listening()
    await backend.signals?.subscribe('c', here.listener)
    const raw = rawDatabase(path)
    raw.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
      INSERT INTO mcp_session_signal (channel, message) SELECT 'other', i FROM n;
      DELETE FROM mcp_session_signal WHERE seq <= 5`)
    expect(await here.heard(1)).toEqual([undefined])
    await backend.signals?.publish('c', 'next', call())
    expect(await here.heard(2)).toEqual([undefined, 'next'])
  })

  it('take a bounded number of rows', { timeout: 30_000 }, async () => {
    const path = newPath()
    const backend = await opened({ path, durable: false })
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 1_000 }, () => backend.signals?.publish('c', 'x', call())))
    }
    expect(rawDatabase(path).prepare('SELECT count(*), max(seq) FROM mcp_session_signal').raw().get()).toEqual([4_096, 5_000])
  })

  it('are not stopped by a listener that throws, and end with its unsubscription', async () => {
    const backend = await opened({ path: newPath() })
    const here = listening()
    await backend.signals?.subscribe('c', () => {
      throw new Error('a listener of the application')
    })
    const leaving = listening()
    const leave = await backend.signals?.subscribe('c', leaving.listener)
    await backend.signals?.subscribe('c', here.listener)
    await backend.signals?.publish('c', '1', call())
    expect(await here.heard(1)).toEqual(['1'])
    expect(await leaving.heard(1)).toEqual(['1'])
    await leave?.()
    await leave?.()
    await backend.signals?.publish('c', '2', call())
    expect(await here.heard(2)).toEqual(['1', '2'])
    expect(await leaving.heard(1)).toEqual(['1'])
  })

  it('carry channels of 255 characters and messages of 1 KiB unchanged', async () => {
    const backend = await opened({ path: newPath() })
    const here = listening()
    const channel = `'";--%*?[]{}\\ ${'é€😀'.repeat(60)}`
    const message = '\u0000\n"\''.repeat(256)
    await backend.signals?.subscribe(channel, here.listener)
    await backend.signals?.publish(channel, message, call())
    expect(await here.heard(1)).toEqual([message])
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
