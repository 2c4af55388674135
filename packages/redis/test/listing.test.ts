import { encodeCursor } from '@mcp-session/core/backend'
import { startRedis } from '@mcp-session/test-engines'
import { expect, it, onTestFinished } from 'vitest'
import { call, listed, opened, rawClient, sharedEngine, stored } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine({ appendonly: 'no' })

it('starts over when the server has been restarted since the page before', async () => {
  const server = await startRedis()
  onTestFinished(() => server.close())
  const backend = await opened({ url: server.url, prefix: 'p' })
  const records = await Promise.all(Array.from({ length: 300 }, () => stored(backend)))
  const first = await backend.list({ limit: 250 }, call())
  await server.kill()
  await server.start()
  const seen = new Set(first.records.map(({ id }) => id))
  let again = 0
  for (let { cursor } = first; cursor !== undefined; ) {
    const page = await backend.list({ limit: 250, cursor }, call())
    for (const { id } of page.records) {
      if (seen.has(id)) again += 1
      seen.add(id)
    }
    cursor = page.cursor
  }
  expect(seen.size).toBe(records.length)
  expect(again, 'pages that were shown before the restart are shown again').toBe(first.records.length)
})

it('loses nothing of a bucket that holds more than a page has room for', async () => {
  const { url } = await engine()
  const backend = await opened({ url, prefix: newPrefix() })
  const records = await Promise.all(Array.from({ length: 500 }, () => stored(backend, { owner: 'alice' })))
  // While the server's table still grows, a bucket holds several keys: pages of one record have to cut through.
  const found = await listed(backend, { limit: 1 })
  expect(new Set(found.map(({ id }) => id)).size).toBe(records.length)
  expect(new Set((await listed(backend, { limit: 1, owner: 'alice' })).map(({ id }) => id)).size).toBe(records.length)
}, 60_000)

it('lists completely while the table of the server grows and shrinks by orders of magnitude between pages', async () => {
  const server = await startRedis({ config: { appendonly: 'no' } })
  onTestFinished(() => server.close())
  const client = rawClient(server.url)
  const backend = await opened({ url: server.url, prefix: 'p' })
  const records = await Promise.all(Array.from({ length: 200 }, () => stored(backend)))
  for (const limit of [1, 3, 20]) {
    const seen = new Set<string>()
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await backend.list({ limit, ...(cursor === undefined ? {} : { cursor }) }, call())
      for (const { id } of page.records) seen.add(id)
      cursor = page.cursor
      pages += 1
      const fill = Array.from({ length: 4_000 }, (_, n) => [`other:${n}`, '']).flat()
      if (pages % 20 === 5) await client.mset(...fill)
      if (pages % 20 === 15) await client.unlink(...fill.filter((_, n) => n % 2 === 0))
      expect(pages).toBeLessThan(5_000)
    } while (cursor !== undefined)
    expect(seen.size, `limit ${limit}`).toBe(records.length)
  }
}, 60_000)

it('refuses cursors that look like its own', async () => {
  const { url } = await engine()
  const backend = await opened({ url, prefix: newPrefix() })
  const cursors = ['["12345678",0,"x","",""]', '["12345678",-1,"0","",""]', '{}', '[]', '["12345678",0,"0","",""] ']
  for (const text of cursors) {
    await expect(backend.list({ limit: 1, cursor: encodeCursor('redis', text) }, call()), text).rejects.toThrow(TypeError)
    await expect(backend.list({ limit: 1, owner: 'a', cursor: encodeCursor('redis owner', text) }, call()), text).rejects.toThrow(TypeError)
  }
})
