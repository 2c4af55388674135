import { Command } from 'commander'
import { resultsFolder, writePageOfFiles } from './write-page.ts'

export function resultsCommand(): Command {
  return new Command('results')
    .description('Writes RESULTS.md and its charts from figures of earlier runs, such as one for each backend.')
    .argument('<files...>', 'written by --json')
    .option('--into <folder>', 'where RESULTS.md and charts/ are written', resultsFolder)
    .action(async (files: readonly string[], { into }: { readonly into: string }) => {
      await writePageOfFiles(into, files)
      console.log(`Written into ${into}`)
    })
}
