import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionBackend } from '@mcp-session/core/backend'
import { memoryBackend } from '@mcp-session/memory'
import { sqliteBackend } from '@mcp-session/sqlite'
import { onTestFinished } from 'vitest'

/** A path in a folder that is gone when the test is over. */
export async function scratchPath(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-http-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Backends of several nodes on one store: each call gives the backend for one more node. */
export async function sharedStore(engine: 'memory' | 'sqlite'): Promise<() => SessionBackend> {
  if (engine === 'memory') {
    const backend = memoryBackend()
    // Memory is empty after its last close, so the store outlives its nodes.
    await backend.open()
    onTestFinished(() => backend.close())
    return () => backend
  }
  const path = await scratchPath('sessions.db')
  return () => sqliteBackend({ path })
}
