import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The first folder of PATH, then of the given ones, that holds all those programs. */
export function folderWith(names: readonly string[], path: string, others: readonly string[] = []): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...others]
  return folders.find((folder) => names.every((name) => isExecutable(join(folder, name))))
}

/** Where Debian keeps PostgreSQL's server programs, the newest first. */
export function debianPostgresFolders(root = '/usr/lib/postgresql'): readonly string[] {
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
