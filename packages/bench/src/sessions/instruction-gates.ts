import type { PathName } from '../instructions/hot-paths.ts'

/** How many instructions a call of each hot path may take. Judged in `instructions/judge.ts`. */
export interface InstructionGates {
  /** Another compiler makes other instructions: of Node and the processor that these bars are for. */
  readonly major: number
  readonly arch: string
  /** How much more than measured is let through: several times what differs between runs. */
  readonly margin: number
  /** What `bench instructions` printed. Whoever makes a path faster, or dearer for a reason, writes the new count here. */
  readonly measured: Readonly<Record<PathName, number>>
}

export const instructionGates: InstructionGates = {
  major: 20,
  arch: 'x64',
  margin: 0.15,
  measured: {
    'create-delete': 189_100,
    update: 79_500,
    'cold-retrieve': 109_700,
    'retrieve-by-owner': 29_400,
    touch: 11_600,
    retrieve: 9_400,
  },
}
