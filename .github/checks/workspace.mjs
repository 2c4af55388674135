import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The root package.json. */
export const rootManifest = readJson(join(root, 'package.json'))

/** Every workspace package: its folder relative to the root, that folder's path, its manifest. */
export function workspacePackages() {
  const groups = ['packages', 'examples'].filter((group) => existsSync(join(root, group)))
  return groups.flatMap((group) =>
    readdirSync(join(root, group))
      .sort()
      .filter((name) => existsSync(join(root, group, name, 'package.json')))
      .map((name) => {
        const path = join(root, group, name)
        return { name, folder: `${group}/${name}`, path, manifest: readJson(join(path, 'package.json')) }
      }),
  )
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
