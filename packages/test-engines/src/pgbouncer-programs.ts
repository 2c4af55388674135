import { join } from 'node:path'
import { cacheRoot } from './cache-folder.ts'
import { hasApt, unpackedPackages } from './debian-packages.ts'
import { folderWith } from './on-path.ts'
import { outputOf } from './program-output.ts'
import type { Programs } from './programs.ts'

/** Finds or fetches `pgbouncer`. */
export async function pgbouncerPrograms(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<Programs> {
  const folder = folderWith(['pgbouncer'], env['PATH'] ?? '', ['/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'])
  if (folder !== undefined) return await programsAt(join(folder, 'pgbouncer'), 'installed', {})
  if (await hasApt()) {
    const { folder: root, libraries } = await unpackedPackages(cacheRoot(env), ['pgbouncer'], say)
    return await programsAt(join(root, 'usr/sbin/pgbouncer'), 'fetched with apt-get download', { LD_LIBRARY_PATH: libraries })
  }
  throw new Error('No pgbouncer: install it.')
}

async function programsAt(program: string, source: string, env: Readonly<Record<string, string>>): Promise<Programs> {
  const [version = ''] = (await outputOf(program, ['--version'], { env })).split('\n')
  return { source, version, env, path: () => program }
}
