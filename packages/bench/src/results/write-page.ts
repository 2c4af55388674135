import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Figures, readFigures } from '../sessions/figures-file.ts'
import { pageOf } from './page.ts'

/** Where people look for them. */
export const resultsFolder: string = fileURLToPath(new URL('../../', import.meta.url))

/** Writes `RESULTS.md` and its charts; charts that it does not show any more are removed. */
export async function writePage(folder: string, all: readonly Figures[]): Promise<void> {
  const { text, charts } = pageOf(all)
  const place = join(folder, 'charts')
  await mkdir(place, { recursive: true })
  for (const name of await readdir(place)) if (name.endsWith('.svg') && !charts.has(name)) await rm(join(place, name))
  for (const [name, drawing] of charts) await writeFile(join(place, name), drawing)
  await writeFile(join(folder, 'RESULTS.md'), text)
}

export async function writePageOfFiles(folder: string, files: readonly string[]): Promise<void> {
  await writePage(folder, await Promise.all(files.map(readFigures)))
}
