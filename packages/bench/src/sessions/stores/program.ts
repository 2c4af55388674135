import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { NotHere } from '../not-here.ts'

const run = promisify(execFile)

/** What a program on the PATH prints. */
export async function outputOf(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(program, [...args])).stdout
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw new NotHere(`${program} is not installed`)
    throw error
  }
}
