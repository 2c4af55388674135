import { appendFunction, readFunction, restoreFunction } from './event-functions.ts'
import type { Names } from './names.ts'
import { getFunction, listFunction, sweepFunction } from './record-functions.ts'
import { tableStatements } from './table-statements.ts'
import { writeFunction } from './write-function.ts'

export interface Migration {
  readonly version: number
  statements(names: Names, unlogged: boolean): readonly string[]
}

/** Numbered, in order, appended to and never edited: stores in the field have run them. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: (names, unlogged) => [
      ...tableStatements(names, unlogged),
      listFunction(names),
      appendFunction(names),
      readFunction(names),
      restoreFunction(names),
    ],
  },
  {
    version: 2,
    statements: (names) => [writeFunction(names), getFunction(names)],
  },
  {
    version: 3,
    statements: (names) => [sweepFunction(names)],
  },
]

/** The newest schema that this code knows. */
export const newestVersion: number = Math.max(...migrations.map(({ version }) => version))
