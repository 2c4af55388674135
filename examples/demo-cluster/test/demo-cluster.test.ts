import { pidIsGone, startNode } from '@mcp-session/test-processes'
import { describe, expect, it } from 'vitest'

const script = new URL('../src/main.ts', import.meta.url)

/** Runs the demo as a process of its own. */
async function runDemo(...args: string[]) {
  await using demo = await startNode({ script, args, ready: /One MCP client/ })
  await demo.line(/^ [✓✗] /, 120_000)
  const { code } = await demo.exited
  const text = demo.stdout()
  const [, ...servers] = /servers started +pid (\d+) \(SDK v1\), (\d+) \(SDK v2\)/.exec(text) ?? []
  const [, engine = ''] = /started +pid (\d+), port/.exec(text) ?? []
  return { code, text, pids: [engine, ...servers].map(Number) }
}

/** What differs from run to run, made equal; the pids of the two servers by their role. */
function toldBy(text: string, [, v1, v2]: readonly number[]): readonly string[] {
  return text.split('\n').map((line) =>
    line
      .replace(/^ +\d+\.\d s/, '  n s')
      .replaceAll(String(v1), 'V1')
      .replaceAll(String(v2), 'V2')
      .replace(/pid \d+, port \d+/, 'pid PID, port PORT')
      .replace(/'\w+' ready/, 'WORD ready')
      .replace(/…[\w-]+/, 'ID')
      .replace(/ {2,}/g, '  '),
  )
}

describe('the cluster demo', { timeout: 180_000 }, () => {
  it.each([
    ['redis', 'v2'],
    ['postgres', 'v1'],
    ['postgres', 'v2'],
    ['redis', 'v1'],
  ])('holds on %s for a client of SDK %s', async (engine, sdk) => {
    const { code, text, pids } = await runDemo('--backend', engine, '--sdk', sdk)
    const told = toldBy(text, pids)
    // Which of the two holds the stream is a matter of when the client opens it.
    const [, holder = ''] = /held by (\w+)/.exec(told.join('\n')) ?? []
    const other = holder === 'V1' ? 'V2' : 'V1'
    expect(told.filter((line) => !line.includes('each call to the next server'))).toEqual([
      ` One MCP client, one session, two servers, a round robin  (SDK ${sdk} · ${engine})`,
      `  n s  ${engine} started  pid PID, port PORT`,
      '  n s  two servers started  pid V1 (SDK v1), V2 (SDK v2)',
      '  n s  client connected  session ID',
      '  n s  20 calls at once → 7 … 26  10 by V1, 10 by V2  no number twice, none missing',
      '  n s  client receives  "report WORD ready, says V1"',
      '  n s  client receives  "report WORD ready, says V2"',
      `  n s  both on its one stream  held by ${holder}`,
      `  n s  kill -9 ${holder}  gone: its port refuses, the pid does not exist`,
      `  n s  "count" → 27 … 30  answered by ${other}, same client object  session ID`,
      `  n s  client receives  "report WORD ready, says ${other}"  its stream goes on at the other server`,
      ' ✓ one session on two servers: exact counter, one stream, and kill -9 of the server that held it',
    ])
    expect(told.join('\n')).toMatch(/"count" → 1 … 6 {2}each call to the next server {2}answered by( V[12]){6}\n/)
    expect(code).toBe(0)
    expect(new Set(pids).size).toBe(3)
    expect(pids.filter((pid) => !pidIsGone(pid))).toEqual([])
  })

  it('notices that servers keep sessions to themselves, says so and leaves nothing behind', async () => {
    const { code, text, pids } = await runDemo('--plant', 'memory')
    expect(text.split('\n').at(-1)).toMatch(/^ ✗ the handshake succeeds, of which each server sees a half: .*not found/i)
    expect(text).not.toContain('✓')
    expect(code).toBe(1)
    expect(new Set(pids).size).toBe(3)
    expect(pids.filter((pid) => !pidIsGone(pid))).toEqual([])
  })

  it.each([
    ['--backend', 'sqlite'],
    ['--sdk', 'v3'],
  ])('refuses %s %s', async (option, value) => {
    await expect(runDemo(option, value)).rejects.toThrow(`'${value}' is invalid`)
  })

  it('tells its options', async () => {
    await using help = await startNode({ script, args: ['--help'], ready: /^Usage: demo:cluster/ })
    expect((await help.exited).code).toBe(0)
    expect(help.stdout()).toMatch(/--backend <name>.*redis.*postgres.*--sdk <major>.*v1.*v2.*both/s)
  })
})
