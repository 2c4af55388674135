import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args])
}

// What it measures in so short a time says nothing; that it measures, and ends by itself, does.
test.each(['v1', 'v2'])(
  'the HTTP benchmark measures every figure beside the transport of SDK %s',
  async (sdk) => {
    const { stdout } = await bench('http', '--rounds', '1', '--seconds', '0.05', '--sdk', sdk, '--json')
    const { title, figures } = JSON.parse(stdout)
    expect(title).toContain(`SDK ${sdk}`)
    const told = figures.map(
      ({ what, who, unit, bar }: Record<string, unknown>) => `${what} | ${who} | ${unit}${bar === undefined ? '' : ' | barred'}`,
    )
    const plain = (clients: number) => [
      `tool that writes nothing, ${clients} in flight | the SDK | ms`,
      `tool that writes nothing, ${clients} in flight | the SDK again | times`,
      `tool that writes nothing, ${clients} in flight | memory | times | barred`,
      `tool that writes nothing, ${clients} in flight | sqlite | times | barred`,
      `tool that writes nothing, ${clients} in flight | sqlite, touched by each call | times`,
    ]
    expect(told).toEqual([
      ...plain(1),
      ...plain(16),
      'the same, processor time of the server | the SDK again | times',
      'the same, processor time of the server | memory | times',
      'the same, processor time of the server | sqlite | times',
      'the same, processor time of the server | sqlite, touched by each call | times',
      'fdatasync of 4 KiB on this disk | node:fs | ms',
      'tool that runs 200 ms (stream, two appends), more than the SDK | the SDK again | ms',
      'tool that runs 200 ms (stream, two appends), more than the SDK | memory | ms | barred',
      'tool that runs 200 ms (stream, two appends), more than the SDK | sqlite | ms | barred',
      'first call of a session on another node, more than the second | sqlite | ms | barred',
      'first answer of a just started process, more than the SDK and its initialize | sqlite | ms | barred',
    ])
    for (const { median, min, max } of figures) for (const value of [median, min, max]) expect(Number.isFinite(value)).toBe(true)
  },
  300_000,
)

test('an unknown benchmark, or no sensible number of rounds, is refused with exit code 1', async () => {
  await expect(bench('htpt')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("unknown command 'htpt'") })
  await expect(bench('http', '--rounds', 'x')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('above 0') })
}, 60_000)
