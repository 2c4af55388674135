import { Command } from 'commander'
import { bundle } from '../bundle.ts'
import { instructionGates } from '../sessions/instruction-gates.ts'
import { listOf, positive } from '../sessions/option-values.ts'
import { drawn } from '../sessions/table.ts'
import { range, short } from '../sessions/tables.ts'
import { countCalls } from './counted-calls.ts'
import { availableCounter, type Counter } from './counter.ts'
import { type PathName, pathNames } from './hot-paths.ts'
import { isJudgedOn, type JudgedPath, judgePaths, thisPlatform } from './judge.ts'

interface Options {
  readonly path: readonly PathName[]
  readonly rounds: number
  readonly json?: true
  readonly unjudged?: true
}

export function instructionsCommand(): Command {
  return new Command('instructions')
    .description("Instructions of one call of core's hot paths on memory. Exit code 1: one is over its bar; 2: nothing could be counted.")
    .option('--path <names>', `of ${pathNames.join(', ')}; separated by commas`, listOf(pathNames), pathNames)
    .option('--rounds <n>', 'how often each is counted', positive, 1)
    .option('--unjudged', 'count also where no bars hold: on another Node or processor')
    .option('--json', 'one line of JSON instead of a table')
    .action(async (options: Options, command: Command) => {
      try {
        await run(options)
      } catch (error) {
        command.error(`error: ${error instanceof Error ? error.message : String(error)}`, { exitCode: 2 })
      }
    })
}

async function run({ path, rounds, json, unjudged }: Options): Promise<void> {
  if (!isJudgedOn(thisPlatform) && unjudged !== true) {
    console.error(`${note()} Nothing was counted: --unjudged counts nevertheless.`)
    return
  }
  const counter = await availableCounter()
  await using built = await bundle(new URL('./caller.ts', import.meta.url))
  const judged = judgePaths(await countCalls({ counter, script: built.path, paths: path, rounds }), thisPlatform)
  console.log(json === true ? jsonText(judged, counter) : text(judged, counter))
  if (judged.some(({ verdict }) => verdict === 'over its bar')) process.exitCode = 1
}

function text(judged: readonly JudgedPath[], counter: Counter): string {
  const rows = judged.map(({ path, median, min, max, bar, verdict }) => [
    path,
    short(median),
    range({ min, max }, short),
    bar === undefined ? '' : `≤ ${short(bar)}`,
    verdict,
  ])
  const head = ['path', 'instructions a call', 'min – max', 'bar', 'verdict']
  return `${drawn({ title: `core on memory, counted by ${counter.name}`, head, rows })}\n${note()}`
}

function note(): string {
  const { major, arch, margin } = instructionGates
  const here = `This is Node ${process.versions.node} on ${thisPlatform.arch}.`
  if (!isJudgedOn(thisPlatform)) return `NOT JUDGED: the bars are for Node ${major} on ${arch}. ${here}`
  return `A bar is what was measured once and ${100 * margin} % more. ${here}`
}

function jsonText(judged: readonly JudgedPath[], counter: Counter): string {
  const { arch } = thisPlatform
  return JSON.stringify({ node: process.versions.node, arch, counter: counter.name, judged: isJudgedOn(thisPlatform), paths: judged })
}
