import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sqliteBackend } from '@mcp-session/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { knownSession, type RawClient, rawClient, sseEvents } from './raw-client.ts'
import { scratchPath } from './shared-store.ts'

const script = fileURLToPath(new URL('own-transport.ts', import.meta.url))

/** A process with the SDK's own transports on a store; its `kill` is SIGKILL. */
async function run(major: 1 | 2, path: string): Promise<{ url: URL; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, `v${major}`, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  const [line] = await once(createInterface(child.stdout), 'line')
  return { url: new URL(`http://127.0.0.1:${/port: (\d+)/.exec(String(line))?.[1]}/mcp`), kill }
}

/** Reads that many messages of a GET stream, and leaves. */
async function read(client: RawClient, count: number, lastEventId?: string, act?: () => Promise<unknown>) {
  const events = sseEvents(await client.get(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }))
  await act?.()
  const messages: { id: string; word: unknown }[] = []
  while (messages.length < count) {
    const event = await events.next()
    if (event?.data) messages.push({ id: event.id ?? '', word: JSON.parse(event.data).params?.data })
  }
  await events.cancel()
  return messages
}

const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }

async function say(client: RawClient, tool: string, word: string): Promise<void> {
  expect(await (await client.call(tool, { word })).text()).toContain('said')
}

describe.each([1, 2] as const)('the stock transport of SDK %d', { timeout: 60_000 }, (major) => {
  it('resumes its standalone stream in a process that has just been started', async () => {
    const path = await scratchPath('own.db')
    const first = await run(major, path)
    const client = await rawClient(first.url)
    await client.post(initialized)
    const [seen] = await read(client, 1, undefined, () => say(client, 'say', 'seen'))
    expect(seen).toMatchObject({ word: 'seen' })
    await say(client, 'burst', 'missed')
    await first.kill()
    const second = await run(major, path)
    const resumed = await read(knownSession(second.url, client.sessionId), 50, seen?.id)
    expect(resumed.map(({ word }) => word)).toEqual(Array.from({ length: 50 }, (_, index) => `missed${index}`))
  })

  it('resumes the stream of a call whose answer got lost with the process', async () => {
    const path = await scratchPath('own.db')
    const first = await run(major, path)
    const client = await rawClient(first.url)
    await client.post(initialized)
    const answer = sseEvents(await client.call('say', { word: 'x' }, 'lost'))
    const priming = await answer.next()
    expect(priming).toMatchObject({ id: expect.any(String), data: '' })
    await answer.rest()
    await first.kill()
    const second = await run(major, path)
    const again = sseEvents(await knownSession(second.url, client.sessionId).get({ 'last-event-id': priming?.id ?? '' }))
    expect(JSON.parse((await again.next())?.data ?? '')).toMatchObject({ id: 'lost', result: { content: [{ text: 'said' }] } })
    await again.cancel()
  })

  it('gives a session nothing of another one', async () => {
    const { url } = await run(major, await scratchPath('own.db'))
    const victim = await rawClient(url)
    const thief = await rawClient(url)
    for (const client of [victim, thief]) await client.post(initialized)
    const [own] = await read(thief, 1, undefined, () => say(thief, 'say', 'own'))
    const [secret] = await read(victim, 1, undefined, () => say(victim, 'say', 'public'))
    await say(victim, 'say', 'secret')
    const refused = await thief.get({ 'last-event-id': secret?.id ?? '' })
    expect(refused.status).toBe(400)
    expect(await refused.text()).not.toContain('secret')
    await say(thief, 'say', 'next')
    expect(await read(thief, 1, own?.id)).toMatchObject([{ word: 'next' }])
  })

  it('keeps nothing of a session that its client has ended', async () => {
    const path = await scratchPath('own.db')
    const { url } = await run(major, path)
    const client = await rawClient(url)
    await client.post(initialized)
    await say(client, 'say', 'gone')
    const backend = sqliteBackend({ path })
    await backend.open()
    onTestFinished(() => backend.close())
    const stored = async () => (await backend.list({ limit: 10 }, { now: Date.now(), deadlineAt: Number.POSITIVE_INFINITY })).records
    expect((await stored()).map(({ id }) => id).sort()).toEqual([`!events_${client.sessionId}`, client.sessionId])
    expect((await client.delete()).status).toBe(200)
    expect(await stored()).toEqual([])
    expect((await client.get()).status).toBe(404)
  })
})
