import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { DriverError, Harness } from '@mcp-session/conformance'
import { fileBackend } from '../src/index.ts'

export const harness: Harness = {
  async open() {
    const place = join(await mkdtemp(join(tmpdir(), 'mcp-session-conformance-')), 'sessions')
    return { place, backend: fileBackend({ path: place }) }
  },
  reopen: (place) => fileBackend({ path: place }),
  remove: (place) => rm(dirname(place), { recursive: true, force: true }),
  secondProcess: import.meta.url,
  errors: [
    ...failing(['ENOSPC', 'EDQUOT'], 'LIMIT', true),
    ...failing(['EFBIG'], 'LIMIT', false),
    ...failing(['EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EBUSY', 'ESTALE'], 'UNAVAILABLE', true),
    ...failing(['EROFS', 'EACCES', 'EPERM', 'ENOENT'], 'UNAVAILABLE', false),
    { name: 'an error of nobody knows whom', error: new Error('boom'), expected: undefined },
  ],
}

/** Errors of Node's file system. A write that failed may have reached the disk in part: its outcome is never known. */
function failing(codes: readonly string[], code: 'LIMIT' | 'UNAVAILABLE', retryable: boolean): DriverError[] {
  return codes.map((name) => ({
    name,
    error: Object.assign(new Error(`${name}: made by the test`), { code: name, syscall: 'write' }),
    expected: { code: `MCP_SESSION_${code}`, retryable, outcome: 'unknown' },
  }))
}
