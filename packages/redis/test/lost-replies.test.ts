import { openSessions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import { startFaultRelay } from '@mcp-session/test-engines'
import { expect, it, onTestFinished } from 'vitest'
import { redisBackend } from '../src/index.ts'
import { call, epoch, keepAll, newRecord, opened, sharedEngine, stored, successor } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine()

/** A backend behind a relay, and one that goes straight to the server. */
async function both() {
  const { url, port } = await engine()
  const relay = await startFaultRelay({ target: port })
  onTestFinished(() => relay.close())
  const prefix = newPrefix()
  const behind = await opened({ url: `redis://127.0.0.1:${relay.port}`, prefix })
  const straight = await opened({ url, prefix })
  // The scripts are known to the server, so that each write is one command.
  await straight.events?.append((await stored(straight)).id, { key: 'k', stream: 's', data: '' }, keepAll, call())
  await behind.get('s_x', call())
  return { relay, behind, straight, prefix, url: `redis://127.0.0.1:${relay.port}` }
}

const writes: Readonly<Record<string, (backend: SessionBackend, id: string, rev: string) => Promise<unknown>>> = {
  replace: (backend, id, rev) => backend.replace(newRecord({ id, rev: 'next', prevRev: rev }), rev, call()),
  touch: (backend, id, rev) => backend.touch({ id, rev, lastAccessedAt: epoch + 5, expiresAt: epoch + 3_600_005 }, call()),
  delete: (backend, id, rev) => backend.delete(id, rev, call()),
  append: async (backend, id) => backend.events?.append(id, { key: 'once', stream: 'main', data: 'x' }, keepAll, call()),
}

for (const [name, write] of Object.entries(writes)) {
  it(`tells that the outcome of a ${name} is unknown when its reply is lost, has sent it once, and settles it when it is sent again`, async () => {
    const { relay, behind, straight } = await both()
    const { id, rev } = await stored(straight)
    const lost = relay.dropRepliesAfter((bytes) => bytes.includes(id))
    const error: unknown = await write(behind, id, rev).catch((reason: unknown) => reason)
    await lost
    expect(behind.classify(error)).toMatchObject({ outcome: 'unknown', retryable: true })
    const again = await write(behind, id, rev)
    const record = await straight.get(id, call())
    if (name === 'replace') expect(again).toMatchObject({ replaced: false, current: { rev: 'next', prevRev: rev } })
    if (name === 'touch') expect([again, record?.lastAccessedAt]).toEqual(['touched', epoch + 5])
    if (name === 'delete') expect([again, record]).toEqual([false, undefined])
    if (name === 'append')
      expect([again, (await straight.events?.read(id, { after: 0, limit: 9, maxAgeMs: Number.POSITIVE_INFINITY }, call()))?.last]).toEqual([
        1, 1,
      ])
  })
}

it('does not answer false to the create whose own first attempt landed', async () => {
  const { relay, behind, straight } = await both()
  const record = newRecord()
  const lost = relay.dropRepliesAfter((bytes) => bytes.includes(record.id) && bytes.includes('create'))
  const error: unknown = await behind.create(record, call()).catch((reason: unknown) => reason)
  await lost
  expect(behind.classify(error)).toMatchObject({ outcome: 'unknown' })
  expect(await straight.get(record.id, call())).toEqual(record)
})

it('increments once through the session API when the reply of an update is lost, and revives nothing', async () => {
  const { relay, straight, prefix, url } = await both()
  const sessions = await openSessions<{ n: number }>({ backend: redisBackend({ url, prefix }), cleanupIntervalMs: 0 })
  onTestFinished(() => sessions.close())
  const { id } = await sessions.create({ n: 0 })
  for (let n = 1; n <= 5; n += 1) {
    const lost = relay.dropRepliesAfter((bytes) => bytes.includes(id) && bytes.includes('replace'))
    const updated = await sessions.update(id, (metadata) => ({ n: metadata.n + 1 }))
    await lost
    expect(updated?.metadata.n).toBe(n)
  }
  const lost = relay.dropRepliesAfter((bytes) => bytes.includes(id) && bytes.includes('delete'))
  await sessions.delete(id)
  await lost
  expect(await straight.get(id, call())).toBeUndefined()
})

it('never lets a replace that was on its way bring a deleted session back', async () => {
  const { relay, behind, straight } = await both()
  const record = await stored(straight)
  const lost = relay.dropRepliesAfter((bytes) => bytes.includes(record.id) && bytes.includes('replace'))
  const next = successor(record)
  await behind.replace(next, record.rev, call()).catch(() => {})
  await lost
  await straight.delete(record.id, undefined, call())
  expect(await behind.replace(next, record.rev, call())).toEqual({ replaced: false, current: undefined })
  expect(await straight.get(record.id, call())).toBeUndefined()
})
