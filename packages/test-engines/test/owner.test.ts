import { once } from 'node:events'
import { readdirSync, watch } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNews, portRefuses, type RunningNode, startNode } from '@mcp-session/test-processes'
import { describe, expect, it } from 'vitest'
import { commandOf, descendantsOf, sharedMemoryOf, stateOf } from './process-facts.ts'

const script = new URL('./fixtures/owner.ts', import.meta.url)

// A temporary folder of the owner's own, which must be empty once everything is gone.
async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'mcp-session-owner-'))
  await chmod(path, 0o755)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function startOwner(kind: string, how: string, folder: string) {
  const owner = await startNode({ script, args: [kind, how], env: { TMPDIR: folder }, ready: /^ports: / })
  const ports: readonly number[] = JSON.parse(owner.readyLine.replace('ports: ', ''))
  return Object.assign(owner, { ports })
}

function engineFolders(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('mcp-session-engine-'))
}

async function emptied(folder: string): Promise<boolean> {
  const news = createNews()
  const watcher = watch(folder, news.tell)
  const empty = await news.until(() => engineFolders(folder).length === 0, 30_000)
  watcher.close()
  return empty
}

async function connectionTo(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket.resume()
}

async function expectNothingLeft(pids: readonly number[], ports: readonly number[], folder: string) {
  expect(await emptied(folder)).toBe(true)
  // The last thing that a keeper does is to remove its folder; then it ends itself.
  await expect.poll(() => pids.filter((pid) => stateOf(pid) !== undefined), { timeout: 30_000 }).toEqual([])
  expect(await Promise.all(ports.map(portRefuses))).toEqual(ports.map(() => true))
  expect(sharedMemoryOf(pids)).toEqual([])
}

describe('what an owner started', { timeout: 120_000 }, () => {
  it.each([
    ['redis', 1],
    ['cluster', 3],
    ['replicas', 2],
    ['sentinel', 5],
    ['postgres', 1],
    ['standby', 2],
    ['pgbouncer', 2],
  ] as const)('dies with it when it is killed: %s', async (kind, count) => {
    await using folder = await temporaryFolder()
    await using owner = await startOwner(kind, '', folder.path)
    const pids = descendantsOf(owner.pid)
    expect(owner.ports.length).toBe(count)
    expect(pids.length).toBeGreaterThan(count)
    expect(engineFolders(folder.path)).not.toEqual([])
    const socket = await connectionTo(owner.ports[0] ?? 0)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await owner.kill('SIGKILL')
    await closed
    await expectNothingLeft(pids, owner.ports, folder.path)
  })

  it.each(['redis', 'postgres', 'pgbouncer'])('dies with it although it is paused: %s', async (kind) => {
    await using folder = await temporaryFolder()
    await using owner = await startOwner(kind, 'paused', folder.path)
    const pids = descendantsOf(owner.pid)
    expect(pids.some((pid) => stateOf(pid) === 'T')).toBe(true)
    await owner.kill('SIGKILL')
    await expectNothingLeft(pids, owner.ports, folder.path)
  })

  it('dies with it when it ends and has forgotten to close', async () => {
    await using folder = await temporaryFolder()
    await using owner = await startOwner('redis', 'forgets', folder.path)
    expect(await owner.exited).toEqual({ code: 0, signal: null })
    await expectNothingLeft([], owner.ports, folder.path)
  })

  it('keeps no owner that has nothing else to do', async () => {
    await using folder = await temporaryFolder()
    await using owner: RunningNode & { ports: readonly number[] } = await startOwner('redis', 'idle', folder.path)
    expect(await owner.exited).toEqual({ code: 0, signal: null })
    await expectNothingLeft([], owner.ports, folder.path)
  })

  it('dies with its keeper when that one is asked to end', async () => {
    await using folder = await temporaryFolder()
    await using owner = await startOwner('redis', '', folder.path)
    const pids = descendantsOf(owner.pid).filter((pid) => /keeper\.mjs|redis|valkey/.test(commandOf(pid)))
    const keeper = pids.find((pid) => commandOf(pid).includes('keeper.mjs'))
    expect(pids.length).toBe(2)
    process.kill(keeper ?? 0, 'SIGTERM')
    await expectNothingLeft(pids, owner.ports, folder.path)
  })
})
