import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningNode, startNode } from '@mcp-session/test-processes'

/** One of the programs here, as a process. */
export interface Program extends AsyncDisposable {
  readonly url: URL
  readonly process: RunningNode
}

export async function startProgram(name: string, ...args: string[]): Promise<Program> {
  const script = new URL(`../src/${name}.ts`, import.meta.url)
  const running = await startNode({ script, args: ['--port', '0', ...args], ready: /^listening on / })
  return {
    url: new URL(running.readyLine.replace('listening on ', '')),
    process: running,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

/** A folder that is gone at the end of its scope. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly database: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-frameworks-'))
  return { database: join(folder, 'sessions.db'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
