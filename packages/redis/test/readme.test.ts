import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished, vi } from 'vitest'
import { call, keepAll, listed, opened, rawClient, sharedEngine, stored, successor } from './fixtures.ts'

const engine = sharedEngine()
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('shows the examples that are run here, and they print what their comments say', async () => {
  vi.stubEnv('REDIS_URL', (await engine()).url)
  onTestFinished(() => void vi.unstubAllEnvs())
  const log = vi.spyOn(console, 'log').mockReturnValue()
  for (const example of ['usage', 'usage-borrowed']) {
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(`./${example}.ts`, import.meta.url), 'utf8')}\`\`\``)
  }
  await import('./usage.ts')
  await import('./usage-borrowed.ts')
  expect(log.mock.calls).toEqual([[{ user: 'alice', counter: 1 }], [1], [1]])
})

it('shows an access list that lets a store do everything', async () => {
  const { url, port } = await engine()
  const line = /^ACL (SETUSER .*)$/m.exec(readme)?.[1] ?? ''
  await rawClient(url).call('ACL', ...line.split(' '))
  const backend = await opened({ url: `redis://shop:secret@127.0.0.1:${port}`, prefix: 'shop' })
  const record = await stored(backend, { owner: 'alice' })
  const next = successor(record, { ttlMs: 60_000 })
  expect(await backend.replace(next, record.rev, call())).toEqual({ replaced: true })
  expect(await backend.touch({ ...next, lastAccessedAt: next.lastAccessedAt + 1, expiresAt: next.expiresAt + 1 }, call())).toBe('touched')
  for (let n = 0; n < 300; n += 1) {
    await backend.events?.append(record.id, { key: `${n}`, stream: `s${n}`, data: 'x' }, { ...keepAll, maxEvents: 2 }, call())
  }
  expect((await backend.events?.read(record.id, { after: 0, limit: 9, maxAgeMs: 9 }, call()))?.last).toBe(300)
  expect(await backend.events?.restore(record.id, { events: [], last: 400, trimmed: true }, call())).toBe(true)
  expect((await listed(backend)).length).toBe(1)
  expect((await listed(backend, { owner: 'alice' })).length).toBe(1)
  expect((await backend.health(call())).warnings).toEqual([])
  const stop = await backend.signals?.subscribe('channel', () => {})
  await backend.signals?.publish('channel', 'hint', call())
  await stop?.()
  await stored(backend, { ttlMs: 0 })
  expect(await backend.deleteExpired(9, call())).toBe(1)
  expect(await backend.delete(record.id, undefined, call())).toBe(true)
})
