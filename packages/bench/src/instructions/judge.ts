import { type InstructionGates, instructionGates } from '../sessions/instruction-gates.ts'
import { type Spread, spreadOf } from '../spread.ts'
import type { CountedCalls } from './counted-calls.ts'
import type { PathName } from './hot-paths.ts'

/** `not judged`: the bars are for another Node or processor. */
export type InstructionVerdict = 'holds' | 'over its bar' | 'not judged'

/** Instructions of one call, over the rounds. */
export interface JudgedPath extends Spread {
  readonly path: PathName
  /** Absent: not judged. */
  readonly bar?: number
  readonly verdict: InstructionVerdict
}

/** What a count depends on besides the code that is measured. */
export interface Platform {
  readonly major: number
  readonly arch: string
}

export const thisPlatform: Platform = { major: Number(process.versions.node.split('.', 1)[0]), arch: process.arch }

export function isJudgedOn({ major, arch }: Platform, gates: InstructionGates = instructionGates): boolean {
  return major === gates.major && arch === gates.arch
}

/** By the median of the rounds. What is no count is over every bar. */
export function judgePaths(counts: CountedCalls, platform: Platform, gates: InstructionGates = instructionGates): JudgedPath[] {
  return [...counts].map(([path, values]) => {
    const spread = spreadOf(values)
    if (!isJudgedOn(platform, gates)) return { path, ...spread, verdict: 'not judged' }
    const bar = Math.round(gates.measured[path] * (1 + gates.margin))
    return { path, ...spread, bar, verdict: spread.median > 0 && spread.median <= bar ? 'holds' : 'over its bar' }
  })
}
