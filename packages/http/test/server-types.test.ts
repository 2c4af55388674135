import { readdir, readFile } from 'node:fs/promises'
import type { AuthInfo as AuthInfoV1 } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { Server as ServerV1 } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { type AuthInfo as AuthInfoV2, McpServer as McpServerV2, Server as ServerV2 } from '@modelcontextprotocol/server'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { AuthInfo, ConnectableServer, ServerFactory } from '../src/index.ts'

const identity = { name: 'typed', version: '1' }

describe('the sources', () => {
  it('import no SDK', async () => {
    const folder = new URL('../src/', import.meta.url)
    const files = await readdir(folder)
    expect(files).toContain('session-transport.ts')
    for (const file of files) expect(await readFile(new URL(file, folder), 'utf8'), file).not.toMatch(/from '@modelcontextprotocol/)
  })
})

describe('ConnectableServer', () => {
  it('is every server class of both SDK majors', () => {
    const servers: ConnectableServer[] = [
      new McpServerV1(identity),
      new ServerV1(identity, { capabilities: {} }),
      new McpServerV2(identity),
      new ServerV2(identity, { capabilities: {} }),
    ]
    expect(servers).toHaveLength(4)
  })

  it('may come as a promise from the factory', () => {
    expectTypeOf<() => Promise<McpServerV1>>().toExtend<ServerFactory>()
    expectTypeOf<() => McpServerV2>().toExtend<ServerFactory>()
    expectTypeOf<() => { connect(): void }>().not.toExtend<ServerFactory>()
  })

  it('gets authentication info in the shape of both SDK majors', () => {
    expectTypeOf<AuthInfoV1>().toExtend<AuthInfo>()
    expectTypeOf<AuthInfo>().toExtend<AuthInfoV1>()
    expectTypeOf<AuthInfoV2>().toExtend<AuthInfo>()
  })
})
