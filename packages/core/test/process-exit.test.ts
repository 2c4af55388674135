import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it, type TestContext } from 'vitest'

const core = fileURLToPath(new URL('..', import.meta.url))

/** Runs a script as a process of its own until it exits by itself. */
async function exitOf(
  script: string,
  onTestFinished: TestContext['onTestFinished'],
): Promise<{ readonly code: unknown; readonly output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', `test/processes/${script}`], {
    cwd: core,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  const [code] = await once(child, 'close')
  return { code, output }
}

it.concurrent('a process exits by itself after close', async ({ onTestFinished }) => {
  expect(await exitOf('closed-store.ts', onTestFinished)).toEqual({ code: 0, output: 'closed' })
}, 20_000)

it.concurrent('a process exits by itself when only the sweeper is left', async ({ onTestFinished }) => {
  expect(await exitOf('open-store.ts', onTestFinished)).toEqual({ code: 0, output: 'left open' })
}, 20_000)

it.concurrent('a process exits by itself after a call that the engine never answered', async ({ onTestFinished }) => {
  expect(await exitOf('hung-engine.ts', onTestFinished)).toEqual({ code: 0, output: 'MCP_SESSION_TIMEOUT' })
}, 20_000)
