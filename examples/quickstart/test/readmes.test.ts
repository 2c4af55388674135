import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { listenOnLoopback, type RunningNode, startNode } from '@mcp-session/test-processes'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const run = promisify(execFile)

/** READMEs whose examples are files of this folder, each named by a comment above its code block. */
const readmes = ['README.md', 'packages/core/README.md']

describe('examples in READMEs', () => {
  it.each(readmes)('%s shows the files that it names, to the letter', async (readme) => {
    const text = await readFile(new URL(readme, root), 'utf8')
    const blocks = [...text.matchAll(/<!-- (examples\/\S+) -->\n```ts\n([\s\S]*?)```/g)]
    expect(blocks.length).toBeGreaterThan(0)
    for (const [, file, code] of blocks) expect(code).toBe(await readFile(new URL(file ?? '', root), 'utf8'))
  })
})

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-session-quickstart-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('sessions.ts', () => {
  it('runs and prints what its comments say', async () => {
    const script = new URL('../src/sessions.ts', import.meta.url).pathname
    const { stdout } = await run(process.execPath, ['--import', 'tsx', script, join(folder, 'carts.db')])
    expect(stdout).toBe("[ 'tea' ]\nundefined\n")
  })
})

describe('server.ts', () => {
  it('counts on for the same client after kill -9', async () => {
    const port = await freePort()
    const start = () => startServer(port, join(folder, 'sessions.db'))
    const first = await start()
    const client = new Client({ name: 'quickstart', version: '1.0.0' })
    await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)))
    try {
      expect(await count(client)).toBe('1')
      expect(await first.kill()).toMatchObject({ signal: 'SIGKILL' })
      await using _second = await start()
      expect(await count(client)).toBe('2')
    } finally {
      await client.close()
    }
  })
})

async function count(client: Client): Promise<unknown> {
  const { content } = await client.callTool({ name: 'count' })
  const [first] = content
  return first?.type === 'text' ? first.text : undefined
}

async function freePort(): Promise<number> {
  const server = createServer()
  const { port } = await listenOnLoopback(server)
  server.close()
  return port
}

function startServer(port: number, path: string): Promise<RunningNode> {
  const script = new URL('../src/server.ts', import.meta.url)
  return startNode({ script, args: [path], env: { PORT: String(port) }, ready: /^http:/ })
}
