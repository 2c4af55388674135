import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

/** A file of an installed package that its exports do not name. */
const program = (name: string, file: string): string => resolve(dirname(require.resolve(`${name}/package.json`)), file)

/** How each runner is called, and how it says how many tests passed. */
const runners: Record<string, { args: string[]; options?: string; passed: RegExp }> = {
  vitest: {
    args: [program('vitest', 'vitest.mjs'), 'run', '--config', 'test/runners/vitest.config.ts'],
    passed: /Tests\s.*?(\d+) passed/,
  },
  'node:test': { args: ['--import', 'tsx', '--test', '--test-reporter', 'tap', 'test/runners/node.kit.ts'], passed: /^# pass (\d+)/m },
  jest: {
    args: [program('jest', 'bin/jest.js'), '--config', 'test/runners/jest.config.json', '--no-cache'],
    options: '--experimental-vm-modules',
    passed: /Tests:\s.*?(\d+) passed/,
  },
  mocha: { args: [program('mocha', 'bin/mocha.js'), '--import=tsx', 'test/runners/globals.kit.ts'], passed: /(\d+) passing/ },
}

async function run(runner: string, env: Record<string, string> = {}): Promise<{ code: number | null; output: string; passed: number }> {
  const { args, options = '', passed } = runners[runner] ?? { args: [], passed: /x/ }
  const { NODE_OPTIONS: _, VITEST: __, NODE_TEST_CONTEXT: ___, ...inherited } = process.env
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...inherited, NO_COLOR: '1', FORCE_COLOR: '0', NODE_OPTIONS: options, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  const output = out + err
  return { code, output, passed: Number(passed.exec(output)?.[1] ?? 0) }
}

describe.each(Object.keys(runners))('under %s', (runner) => {
  it('passes on a correct backend', { timeout: 120_000 }, async () => {
    const { code, output, passed } = await run(runner)
    expect(code, output.slice(-4_000)).toBe(0)
    expect(passed).toBeGreaterThan(150)
  })

  it('fails on a broken one, and says law, history, seed and how to see it again', { timeout: 120_000 }, async () => {
    const { code, output } = await run(runner, {
      KIT_BUG: 'expiry/get-still-reads-at-the-deadline',
      CONFORMANCE_CASE: 'expiry/',
      CONFORMANCE_SEED: '77',
    })
    expect(code, output.slice(-4_000)).not.toBe(0)
    expect(output).toContain('Law expiry/expired-is-absent: `get`, `replace`')
    expect(output).toContain('History (newest last)')
    expect(output).toContain('CONFORMANCE_SEED=77 CONFORMANCE_CASE=expiry/read-at-deadline-is-absent')
  })

  it('passes where the failure is declared, and fails where the declaration is stale', { timeout: 120_000 }, async () => {
    const id = 'expiry/read-at-deadline-is-absent'
    const declared = await run(runner, { KIT_BUG: 'expiry/get-still-reads-at-the-deadline', KIT_EXPECTED: id, CONFORMANCE_CASE: id })
    expect(declared.code, declared.output.slice(-4_000)).toBe(0)
    const stale = await run(runner, { KIT_STALE: '1', CONFORMANCE_CASE: 'create/new' })
    expect(stale.code, stale.output.slice(-4_000)).not.toBe(0)
    expect(stale.output).toContain('is stale')
  })
})
