import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { pidIsGone, startNode } from '@mcp-session/test-processes'
import { describe, expect, it } from 'vitest'

const script = new URL('../src/main.ts', import.meta.url)

/** Runs the demo as a process of its own. */
async function runDemo(...args: string[]) {
  await using demo = await startNode({ script, args, ready: /One MCP client/ })
  const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith(`mcp-session-demo-${demo.pid}-`))
  await demo.line(/started/)
  expect(await folders()).toHaveLength(1)
  await demo.line(/^ [✓✗] /, 60_000)
  const { code } = await demo.exited
  const text = demo.stdout()
  const pids = [...text.matchAll(/started.*pid (\d+)/g)].map(([, pid]) => Number(pid))
  return { code, text, pids, left: await folders() }
}

describe('the demo', { timeout: 120_000 }, () => {
  it.each(['v1', 'v2'])('holds for SDK %s', async (sdk) => {
    const { code, text, pids, left } = await runDemo('--sdk', sdk)
    expect(
      text.split('\n').map((line) =>
        line
          .replace(/^ +\d+\.\d s/, '  n s')
          .replace(/\d{4,}/g, 'PID')
          .replace(/'\w+' ready/, 'WORD ready')
          .replace(/…[\w-]+/, 'ID')
          .replace(/ {2,}/g, '  '),
      ),
    ).toEqual([
      ` One MCP client, one session, two server processes  (SDK ${sdk} · sqlite)`,
      '  n s  server started  pid PID',
      '  n s  client connected  session ID',
      '  n s  tool "count" → 1, 2  answered by PID',
      `  n s  the client's line is cut`,
      '  n s  server stores a notification  "report WORD ready, says PID"  on disk, unread',
      '  n s  kill -9 PID  gone: its port refuses, the pid does not exist',
      '  n s  server started again  pid PID',
      '  n s  line restored, "count" → 3  answered by PID, same client object, session ID',
      '  n s  client receives  "report WORD ready, says PID"  written by the dead process',
      ' ✓ session, counter and unread message survived kill -9  (stock SDK server, same steps: 400, Server not initialized)',
    ])
    expect(code).toBe(0)
    expect(new Set(pids).size).toBe(2)
    expect(pids.filter((pid) => !pidIsGone(pid))).toEqual([])
    expect(left).toEqual([])
  })

  it.each([
    ['memory', 'the second process answers the same client'],
    ['drop-events', 'the client is given the report of the dead process'],
    ['drop-restore', 'the second process answers the same client'],
  ])('notices the fault %s, says so and leaves nothing behind', async (plant, claim) => {
    const { code, text, pids, left } = await runDemo('--plant', plant)
    expect(text.split('\n').at(-1)).toMatch(new RegExp(`^ ✗ ${claim}: `))
    expect(text).not.toContain('✓')
    expect(code).toBe(1)
    expect(new Set(pids).size).toBe(2)
    expect(pids.filter((pid) => !pidIsGone(pid))).toEqual([])
    expect(left).toEqual([])
  })

  it('refuses a major that it does not know', async () => {
    await expect(runDemo('--sdk', 'v3')).rejects.toThrow('--sdk is v1, v2 or both, not v3')
  })
})
