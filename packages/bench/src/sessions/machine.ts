import { readFile } from 'node:fs/promises'
import { arch, cpus, release, totalmem, type } from 'node:os'

/** What figures are worth nothing without. */
export interface Machine {
  readonly date: string
  readonly cores: number
  readonly processor: string
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  /** Of what is measured, by the names under which it is installed. */
  readonly versions: Readonly<Record<string, string>>
}

export async function machine(now: Date): Promise<Machine> {
  const all = cpus()
  return {
    date: now.toISOString(),
    cores: all.length,
    processor: all[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    // What a distributor appends says nothing of speed.
    system: `${type()} ${release().split('-', 1)[0]} ${arch()}`,
    node: process.versions.node,
    versions: await installedVersions(),
  }
}

/** Read beside what is installed: many packages do not export their manifest. */
async function installedVersions(): Promise<Record<string, string>> {
  const here = new URL('../../', import.meta.url)
  const { dependencies, devDependencies } = await manifest(here)
  const names = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !name.startsWith('@types/'))
  const found = await Promise.all(
    names.map(async (name) => [name, (await manifest(new URL(`node_modules/${name}/`, here))).version] as const),
  )
  return Object.fromEntries(found)
}

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

async function manifest(folder: URL): Promise<Manifest> {
  return JSON.parse(await readFile(new URL('package.json', folder), 'utf8'))
}
