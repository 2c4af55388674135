import { appendFunction, readFunction, restoreFunction } from './event-functions.ts'
import type { Names } from './names.ts'
import { listFunction, sweepFunction, writeFunction } from './record-functions.ts'
import { tableStatements } from './table-statements.ts'

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
      writeFunction(names),
      sweepFunction(names),
      listFunction(names),
      appendFunction(names),
      readFunction(names),
      restoreFunction(names),
    ],
  },
]

/** The newest schema that this code knows. */
export const newestVersion: number = Math.max(...migrations.map(({ version }) => version))
