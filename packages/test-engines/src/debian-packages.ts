import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cachedFolder, isCached } from './cache-folder.ts'
import { outputOf } from './program-output.ts'
import type { Search } from './search.ts'

/** Debian packages unpacked into a folder of ours; the system knows nothing of them. */
export interface UnpackedPackages {
  /** The root of the unpacked file system. */
  readonly folder: string
  /** For `LD_LIBRARY_PATH`: the libraries that the system lacks. */
  readonly libraries: string
}

/**
 * Downloads those packages, and the libraries that they need and that are not installed, and unpacks them into the cache. Needs no
 * root and changes nothing of the system: neither its packages, nor its services, nor its lists. `undefined`: there
 * is no apt.
 */
export async function unpackedPackages({ cache, fetches, say }: Search, names: readonly string[]): Promise<UnpackedPackages | undefined> {
  const name = `debian-${names.join('-')}-${process.arch}`
  if (!(await isCached(cache, name)) && !(fetches && (await hasApt()))) return undefined
  const folder = await cachedFolder(cache, name, async (target) => {
    say(`fetching ${names.join(', ')} with apt-get download …`)
    const [downloads, lists] = [join(target, 'downloads'), join(target, 'lists')]
    await mkdir(downloads)
    await download(names, downloads, lists)
    const files = await readdir(downloads)
    for (const file of files) await outputOf('dpkg-deb', ['-x', join(downloads, file), target])
    for (const spent of [downloads, lists]) await rm(spent, { recursive: true, force: true })
    say(`unpacked ${files.map(packageOf).join(', ')}`)
  })
  const triplet = process.arch === 'x64' ? 'x86_64-linux-gnu' : process.arch === 'arm64' ? 'aarch64-linux-gnu' : ''
  return { folder, libraries: ['usr/lib', 'lib'].map((path) => join(folder, path, triplet)).join(':') }
}

function hasApt(): Promise<boolean> {
  return outputOf('apt-get', ['--version']).then(
    () => true,
    () => false,
  )
}

// redis-server_5%3a7.0.15-1~deb12u7_amd64.deb
function packageOf(file: string): string {
  const [name = '', version = ''] = decodeURIComponent(file).split('_')
  return `${name} ${version}`
}

// The system's own package lists first. Where they are absent or name files that are gone: fresh lists in a folder of ours.
async function download(names: readonly string[], folder: string, lists: string): Promise<void> {
  try {
    await downloadWith([], names, folder)
  } catch {
    await mkdir(join(lists, 'partial'), { recursive: true })
    const own = ['-o', `Dir::State::Lists=${lists}`, '-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache=']
    await outputOf('apt-get', [...own, '-qq', 'update'])
    await downloadWith(own, names, folder)
  }
}

async function downloadWith(options: readonly string[], names: readonly string[], folder: string): Promise<void> {
  const plan = await outputOf('apt-get', [...options, 'install', '--simulate', '--no-install-recommends', ...names])
  const missing = plan.split('\n').flatMap((line) => /^Inst (\S+)/.exec(line)?.[1] ?? [])
  if (missing.length === 0) throw new Error(`${names.join(', ')}: installed, but without the programs.`)
  await outputOf('apt-get', [...options, 'download', ...missing], { cwd: folder })
}
