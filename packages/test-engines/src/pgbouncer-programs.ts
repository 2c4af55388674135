import { join } from 'node:path'
import { unpackedPackages } from './debian-packages.ts'
import { folderWith } from './on-path.ts'
import { outputOf } from './program-output.ts'
import { type Programs, programs } from './programs.ts'
import { firstFound, type Search } from './search.ts'

/** Finds or fetches `pgbouncer`. */
export function pgbouncerPrograms(search: Search): Promise<Programs> {
  return firstFound(search, 'pgbouncer', 'Install pgbouncer.', { installed, docker, fetched })
}

// There is no official image.
const docker = async () => undefined

async function installed({ env }: Search): Promise<Programs | undefined> {
  const folder = folderWith(['pgbouncer'], env)
  return folder === undefined ? undefined : await programAt(join(folder, 'pgbouncer'), 'installed')
}

async function fetched(search: Search): Promise<Programs | undefined> {
  const packages = await unpackedPackages(search, ['pgbouncer'])
  if (packages === undefined) return undefined
  const env = { LD_LIBRARY_PATH: packages.libraries }
  return await programAt(join(packages.folder, 'usr/sbin/pgbouncer'), 'fetched with apt-get download', env)
}

async function programAt(program: string, source: string, env: Readonly<Record<string, string>> = {}): Promise<Programs> {
  const [version = ''] = (await outputOf(program, ['--version'], { env })).split('\n')
  return programs({ source: `${source}: ${program}`, version, env, path: () => program })
}
