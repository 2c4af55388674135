import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The first folder of PATH, else of the usual places beside it, that holds all those programs. */
export function folderWith(names: readonly string[], env: Readonly<Record<string, string | undefined>>): string | undefined {
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const folders = [...onPath, ...usualFolders, ...debianPostgresFolders('/usr/lib/postgresql')]
  return folders.find((folder) => names.every((name) => isExecutable(join(folder, name))))
}

// Of Debian (servers are not on every user's PATH), of what is compiled by hand, and of Homebrew.
const usualFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin']

/** Debian keeps each major version of PostgreSQL in a folder of its own, off PATH. The newest first. */
function debianPostgresFolders(root: string): readonly string[] {
  let versions: string[] = []
  try {
    versions = readdirSync(root)
  } catch {
    // Not a Debian with PostgreSQL.
  }
  return versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
