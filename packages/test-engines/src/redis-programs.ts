import { join } from 'node:path'
import { cacheRoot } from './cache-folder.ts'
import { hasApt, unpackedPackages } from './debian-packages.ts'
import { folderWith } from './on-path.ts'
import { outputOf } from './program-output.ts'
import type { Programs } from './programs.ts'

/** Finds or fetches `redis-server` or `valkey-server`. */
export async function redisPrograms(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<Programs> {
  for (const name of ['redis-server', 'valkey-server']) {
    const folder = folderWith([name], env['PATH'] ?? '', ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'])
    if (folder !== undefined) return await programsAt(join(folder, name), 'installed', {})
  }
  if (await hasApt()) {
    const { folder, libraries } = await unpackedPackages(cacheRoot(env), ['redis-server'], say)
    return await programsAt(join(folder, 'usr/bin/redis-server'), 'fetched with apt-get download', { LD_LIBRARY_PATH: libraries })
  }
  throw new Error('No Redis: set REDIS_URL, or install redis-server or valkey-server.')
}

async function programsAt(server: string, source: string, env: Readonly<Record<string, string>>): Promise<Programs> {
  const version = (await outputOf(server, ['--version'], { env })).trim()
  return { source, version, env, path: () => server }
}
