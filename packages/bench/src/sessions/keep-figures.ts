import { resultsFolder, writePage } from '../results/write-page.ts'
import { type Figures, writeFigures } from './figures-file.ts'

/** Writes figures where the options of a command say so: a file for programs, a page for people. */
export async function keepFigures(
  figures: Figures,
  { json, write }: { readonly json?: string; readonly write?: string | true },
): Promise<void> {
  if (json !== undefined) await writeFigures(json, figures)
  if (write !== undefined) await writePage(write === true ? resultsFolder : write, [figures])
}
