import { type ObservedRequest, pidIsGone } from '@mcp-session/test-processes'
import type { Claims } from './claims.ts'
import type { Major } from './connect.ts'
import { killAndReturn } from './kill-and-return.ts'

/** The same steps on the transport that the SDK ships: what its second process answered, read off the wire. */
export async function runControl(sdk: Major, word: string, claims: Claims): Promise<string> {
  const script = sdk === 'v1' ? new URL('./stock-v1.ts', import.meta.url) : new URL('./stock-v2.ts', import.meta.url)
  const run = {
    sdk,
    server: { script, args: [] },
    streaming: /^HTTP\/1\.1 200 /,
    word,
    claims,
    row() {},
    async between() {},
  }
  return await killAndReturn(run, async ({ client, relay, second }) => {
    const before = relay.requests.length
    const failed = await client.count().then(
      () => false,
      () => true,
    )
    claims.holds('control: the call fails on the stock server', failed, true)
    const call = await relay.seen((request) => relay.requests.indexOf(request) >= before && request.body().includes('"tools/call"'))
    await second.kill()
    claims.holds('control: its process is gone', pidIsGone(second.pid), true)
    return answerOf(call)
  })
}

function answerOf(request: ObservedRequest): string {
  const reply = request.reply()
  const [, status = reply] = /^HTTP\/1\.1 (\d+)/.exec(reply) ?? []
  const [, message = ''] = /"message":"((?:[^"\\]|\\.)*)"/.exec(reply) ?? []
  return `${status}, ${message.replace(/^Bad Request: /, '')}`
}
