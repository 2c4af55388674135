import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { connectClient } from './mcp-clients.ts'
import { knownSession } from './raw-client.ts'

const example = fileURLToPath(new URL('readme-example.ts', import.meta.url))

/** Runs the example as a process of its own in `folder`, and gives its port. */
async function run(folder: string) {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), example], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, exited, port: Number(/port: (\d+)/.exec(String(line))?.[1]) }
}

it('shows the example that is type-checked and run here', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  expect(shown).toBe(await readFile(example, 'utf8'))
})

it('counts on after the process was ended and started again', { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-readme-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const first = await run(folder)
  const client = await connectClient(2, new URL(`http://127.0.0.1:${first.port}/mcp`))
  expect(await client.call('count')).toBe('1')
  const { sessionId } = client
  await client.close()
  first.child.kill('SIGTERM')
  expect(await first.exited).toEqual([0, null])

  const second = await run(folder)
  const again = knownSession(new URL(`http://127.0.0.1:${second.port}/mcp`), sessionId ?? '')
  expect(await (await again.call('count')).text()).toContain('"2"')
})
