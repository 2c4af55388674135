import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningNode, startNode } from '@mcp-session/test-processes'
import { expect, it, onTestFinished } from 'vitest'
import { SessionError } from '../src/errors.ts'
import { lockFolder } from '../src/folder-lock.ts'
import { parseHolder } from '../src/folder-lock-holder.ts'
import type { LockAnswer, LockTask } from './processes/lock-holder.ts'

const patience = 60_000

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-session-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const fileIn = (folder: string): string => join(folder, 'mcp-session.lock')

/** A process that does what `lock-holder.ts` knows. */
async function startHolder(): Promise<RunningNode> {
  const node = await startNode({
    script: new URL('./processes/lock-holder.ts', import.meta.url),
    ready: (message) => message === 'ready',
  })
  onTestFinished(() => node[Symbol.asyncDispose]())
  return node
}

const answered = new WeakMap<RunningNode, Set<unknown>>()

async function ask(node: RunningNode, task: LockTask['do'], folder: string): Promise<LockAnswer> {
  const seen = answered.get(node) ?? new Set()
  answered.set(node, seen)
  const isNew = (message: unknown): message is LockAnswer =>
    typeof message === 'object' && message !== null && 'got' in message && !seen.has(message)
  node.send({ do: task, folder } satisfies LockTask)
  const answer = await node.message(isNew)
  seen.add(answer)
  return answer
}

async function refusal(promise: Promise<unknown>): Promise<SessionError> {
  const error: unknown = await promise.then(
    () => 'no error',
    (reason: unknown) => reason,
  )
  if (!SessionError.is(error, 'MCP_SESSION_LOCKED')) throw new Error(`expected LOCKED, got ${String(error)}`)
  return error
}

it('refuses a second opener in the same thread, also through a symbolic link, and names the pid', async () => {
  const folder = newFolder()
  const other = join(newFolder(), 'link')
  symlinkSync(folder, other)
  const lock = await lockFolder(folder)
  for (const path of [folder, other]) expect((await refusal(lockFolder(path))).message).toContain(String(process.pid))
  await lock.release()
  await (await lockFolder(other)).release()
  expect(readdirSync(folder)).toEqual([])
})

it('of openers that begin at once in one thread exactly one succeeds', async () => {
  const folder = newFolder()
  const openers = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)))
  const locks = openers.filter((each) => each.status === 'fulfilled')
  expect(locks).toHaveLength(1)
  await locks[0]?.value.release()
})

it('refuses a second opener in the same thread where somebody removed the lock file', async () => {
  const folder = newFolder()
  const lock = await lockFolder(folder)
  unlinkSync(fileIn(folder))
  await refusal(lockFolder(folder))
  await lock.release()
})

it('a holder notices that its lock file was removed, and that it was replaced', async () => {
  const folder = newFolder()
  const lock = await lockFolder(folder)
  lock.assertHeld()
  const text = readFileSync(fileIn(folder))
  unlinkSync(fileIn(folder))
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'MCP_SESSION_LOCKED' }))
  writeFileSync(fileIn(folder), text)
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'MCP_SESSION_LOCKED' }))
  await lock.release()
  expect(existsSync(fileIn(folder))).toBe(true) // not ours to remove
})

it('a released lock is held no more, and a second release does nothing', async () => {
  const folder = newFolder()
  const lock = await lockFolder(folder)
  await lock.release()
  const next = await lockFolder(folder)
  await lock.release()
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'MCP_SESSION_LOCKED' }))
  next.assertHeld()
  await next.release()
})

it('refuses what another process holds, names its pid, and takes over once it was killed', { timeout: patience }, async () => {
  const folder = newFolder()
  const holder = await startHolder()
  expect(await ask(holder, 'lock', folder)).toEqual({ got: true })
  expect((await refusal(lockFolder(folder))).message).toContain(String(holder.pid))
  expect(await ask(holder, 'assert', folder)).toEqual({ got: true })
  await holder.kill('SIGKILL')
  const lock = await lockFolder(folder)
  lock.assertHeld()
  await lock.release()
  expect(readdirSync(folder)).toEqual([])
})

it('never takes over from a stopped process', { timeout: patience }, async () => {
  const folder = newFolder()
  const holder = await startHolder()
  await ask(holder, 'lock', folder)
  process.kill(holder.pid, 'SIGSTOP')
  await refusal(lockFolder(folder))
  process.kill(holder.pid, 'SIGCONT')
  expect(await ask(holder, 'assert', folder)).toEqual({ got: true })
})

it('a worker thread and its process refuse each other', { timeout: patience }, async () => {
  const [folder, other] = [newFolder(), newFolder()]
  const holder = await startHolder()
  await ask(holder, 'lock', folder)
  const refused = await ask(holder, 'lock in a thread', folder)
  expect(refused).toMatchObject({ got: false, code: 'MCP_SESSION_LOCKED' })
  expect(refused.message).toContain(String(holder.pid))
  expect(await ask(holder, 'lock in a thread', other)).toEqual({ got: true })
  expect(await ask(holder, 'lock', other)).toMatchObject({ got: false, code: 'MCP_SESSION_LOCKED' })
  // Its thread pool may still be writing for a thread that was ended, so that only the end of the process frees the folder.
  await ask(holder, 'end the thread', other)
  expect(await ask(holder, 'lock', other)).toMatchObject({ got: false, code: 'MCP_SESSION_LOCKED' })
  await holder.kill('SIGKILL')
  await (await lockFolder(other)).release()
})

it('of processes that take over from a killed one at once exactly one succeeds', { timeout: patience }, async () => {
  const folder = newFolder()
  const dead = await startHolder()
  await ask(dead, 'lock', folder)
  const stale = readFileSync(fileIn(folder))
  await dead.kill('SIGKILL')
  const rivals = await Promise.all(Array.from({ length: 4 }, startHolder))
  for (let round = 0; round < 150; round += 1) {
    if (round > 0) writeFileSync(fileIn(folder), stale)
    const answers = await Promise.all(rivals.map((rival) => ask(rival, 'lock', folder)))
    const winners = rivals.filter((_rival, index) => answers[index]?.got === true)
    expect(winners).toHaveLength(1)
    for (const winner of winners) {
      expect(await ask(winner, 'assert', folder)).toEqual({ got: true })
      await ask(winner, 'release', folder)
    }
    expect(existsSync(fileIn(folder))).toBe(false)
  }
})

it('takes over where a process was killed while it was taking over itself', { timeout: patience }, async () => {
  const folder = newFolder()
  const dead = await startHolder()
  await ask(dead, 'lock', folder)
  const stale = readFileSync(fileIn(folder), 'utf8')
  await dead.kill('SIGKILL')
  // Three that died with the claim on the one before, and nothing else done.
  let [before, text] = [parseHolder(stale)?.nonce, stale]
  for (const nonce of [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`)) {
    text = text.replace(/"nonce":"[^"]*"/, `"nonce":"${nonce}"`)
    writeFileSync(join(folder, `mcp-session.lock.after-${before}`), text)
    before = nonce
  }
  const rivals = await Promise.all(Array.from({ length: 3 }, startHolder))
  const answers = await Promise.all(rivals.map((rival) => ask(rival, 'lock', folder)))
  expect(answers.filter(({ got }) => got)).toHaveLength(1)
  for (const rival of rivals) await ask(rival, 'release', folder)
  expect(readdirSync(folder)).toEqual([])
})

const self = async (folder: string): Promise<Record<string, unknown>> => {
  const lock = await lockFolder(folder)
  const text = readFileSync(fileIn(folder), 'utf8')
  await lock.release()
  return JSON.parse(text)
}

it('takes over from an earlier process that had the pid of a living one', async () => {
  const folder = newFolder()
  writeFileSync(fileIn(folder), JSON.stringify({ ...(await self(folder)), processStart: '1' }))
  await (await lockFolder(folder)).release()
})

it('takes over from an earlier boot, unless other hosts reach the folder', async () => {
  const folder = newFolder()
  writeFileSync(fileIn(folder), JSON.stringify({ ...(await self(folder)), bootId: 'of another boot' }))
  const error = await refusal(lockFolder(folder, { reachedByOtherHosts: true }))
  expect(error.message).toContain('cannot be told')
  await (await lockFolder(folder)).release()
})

it('asks the socket about a holder in another container: takes over only when it is certain to have ended', {
  timeout: patience,
}, async () => {
  const folder = newFolder()
  const holder = await startHolder()
  await ask(holder, 'lock', folder)
  const text = readFileSync(fileIn(folder), 'utf8').replace(/"pidNamespace":"[^"]*"/, '"pidNamespace":"pid:[1]"')
  writeFileSync(fileIn(folder), text)
  expect((await refusal(lockFolder(folder))).message).toContain(String(holder.pid))
  process.kill(holder.pid, 'SIGSTOP')
  await refusal(lockFolder(folder))
  await holder.kill('SIGKILL')
  writeFileSync(fileIn(folder), text.replace(/"socket":"[^"]*"/, '"socket":null'))
  expect((await refusal(lockFolder(folder))).message).toContain('cannot be told')
  writeFileSync(fileIn(folder), text)
  await (await lockFolder(folder)).release()
})

it('refuses a lock file that says nothing, and leaves it', async () => {
  for (const text of ['', '{', '{"format":2}', 'null', '{"format":1,"pid":-1}']) {
    const folder = newFolder()
    writeFileSync(fileIn(folder), text)
    expect((await refusal(lockFolder(folder))).message).toContain('does not say')
    expect(readFileSync(fileIn(folder), 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['mcp-session.lock'])
  }
})

it('does not follow a symbolic link in the place of the lock file', async () => {
  const folder = newFolder()
  symlinkSync('elsewhere', fileIn(folder))
  await refusal(lockFolder(folder))
  expect(readdirSync(folder)).toEqual(['mcp-session.lock'])
})

it('takes a folder whose path is longer than the path of a socket can be', { timeout: patience }, async () => {
  const folder = mkdtempSync(join(newFolder(), 'x'.repeat(120)))
  const holder = await startHolder()
  await ask(holder, 'lock', folder)
  const text = readFileSync(fileIn(folder), 'utf8').replace(/"pidNamespace":"[^"]*"/, '"pidNamespace":"pid:[1]"')
  writeFileSync(fileIn(folder), text)
  await refusal(lockFolder(folder))
  await holder.kill('SIGKILL')
  await (await lockFolder(folder)).release()
  expect(readdirSync(folder)).toEqual([])
})
