import { join } from 'node:path'
import { unpackedPackages } from './debian-packages.ts'
import { dockerImage } from './docker-image.ts'
import { folderWith } from './on-path.ts'
import { outputOf } from './program-output.ts'
import { type Programs, programs } from './programs.ts'
import { firstFound, type Search } from './search.ts'

/** Finds or fetches `redis-server`; `valkey-server` counts as one. */
export function redisPrograms(search: Search): Promise<Programs> {
  return firstFound(search, 'Redis', 'Set REDIS_URL, or install redis-server or valkey-server.', { installed, docker, fetched })
}

const docker = dockerImage('redis:7')

async function installed({ env }: Search): Promise<Programs | undefined> {
  for (const name of ['redis-server', 'valkey-server']) {
    const folder = folderWith([name], env)
    if (folder !== undefined) return await serverAt(join(folder, name), 'installed')
  }
  return undefined
}

async function fetched(search: Search): Promise<Programs | undefined> {
  const packages = await unpackedPackages(search, ['redis-server'])
  if (packages === undefined) return undefined
  const env = { LD_LIBRARY_PATH: packages.libraries }
  return await serverAt(join(packages.folder, 'usr/bin/redis-server'), 'fetched with apt-get download', env)
}

async function serverAt(server: string, source: string, env: Readonly<Record<string, string>> = {}): Promise<Programs> {
  const version = (await outputOf(server, ['--version'], { env })).trim()
  return programs({ source: `${source}: ${server}`, version, env, path: () => server })
}
