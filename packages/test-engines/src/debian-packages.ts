import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cachedFolder } from './cache-folder.ts'
import { outputOf } from './program-output.ts'

/** Debian packages unpacked into a folder of ours; the system knows nothing of them. */
export interface UnpackedPackages {
  /** The root of the unpacked file system. */
  readonly folder: string
  /** For `LD_LIBRARY_PATH`: the libraries that the system lacks. */
  readonly libraries: string
}

/** Whether packages can be had by `apt-get download`. */
export async function hasApt(): Promise<boolean> {
  return await outputOf('apt-get', ['--version']).then(
    () => true,
    () => false,
  )
}

/**
 * Downloads those packages, and the libraries that they need and that are not installed, and unpacks them into the cache. Needs no
 * root and changes nothing of the system: neither its packages, nor its services, nor its lists.
 */
export async function unpackedPackages(root: string, names: readonly string[], say: (line: string) => void): Promise<UnpackedPackages> {
  const folder = await cachedFolder(root, `debian-${names.join('-')}-${process.arch}`, async (target) => {
    say(`fetching ${names.join(', ')} with apt-get download …`)
    const downloads = join(target, 'downloads')
    await mkdir(downloads)
    await download(names, downloads, join(target, 'apt'))
    const files = await readdir(downloads)
    for (const file of files) await outputOf('dpkg-deb', ['-x', join(downloads, file), target])
    await rm(downloads, { recursive: true })
    await rm(join(target, 'apt'), { recursive: true, force: true })
    say(
      `unpacked ${files
        .map((file) =>
          file
            .replace(/_[^_]*\.deb$/, '')
            .replace('_', ' ')
            .replace('%3a', ':'),
        )
        .join(', ')}`,
    )
  })
  const triplet = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch
  return { folder, libraries: ['usr/lib', 'lib'].map((path) => join(folder, path, `${triplet}-linux-gnu`)).join(':') }
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
