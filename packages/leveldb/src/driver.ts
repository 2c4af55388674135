import { ClassicLevel } from 'classic-level'

/** What is used of a `ClassicLevel`, or of a sublevel of one: abstract-level 3.1 with `getSync` and snapshots. */
export interface LevelDatabase {
  readonly status: string
  readonly supports: { readonly getSync?: boolean; readonly explicitSnapshots?: boolean }
  open(): Promise<void>
  close(): Promise<void>
  getSync(key: string, options: LevelEncodings): string | undefined
  getMany(keys: string[], options: LevelEncodings): Promise<(string | undefined)[]>
  batch(): LevelBatch
  keys(range: LevelRange): AsyncIterable<string>
  iterator(range: LevelRange): AsyncIterable<[string, string]>
  snapshot(): LevelSnapshot
}

export interface LevelEncodings {
  readonly keyEncoding: 'utf8'
  readonly valueEncoding: 'utf8'
  readonly snapshot?: LevelSnapshot | undefined
}

export interface LevelRange extends LevelEncodings {
  readonly gte: string
  readonly lt: string
  /** -1: all. */
  readonly limit?: number
}

export interface LevelBatch {
  put(key: string, value: string, options: LevelEncodings): unknown
  del(key: string, options: LevelEncodings): unknown
  write(options: { readonly sync: boolean }): Promise<void>
  close(): Promise<void>
}

export type LevelSnapshot = ReturnType<ClassicLevel['snapshot']>

/** Said with every step: the encodings of a lent database are its application's own. */
export const utf8: LevelEncodings = { keyEncoding: 'utf8', valueEncoding: 'utf8' }

/**
 * The same for the steps of a batch. The driver spreads them and adds to the copy, and V8 11 gives every object that gains members after a
 * spread a hidden class of its own, which all that follows pays for: so they have these members already.
 */
export const putUtf8: LevelEncodings = Object.freeze({ ...utf8, type: 'put', key: '', value: '' })
export const delUtf8: LevelEncodings = Object.freeze({ ...utf8, type: 'del', key: '' })

/** LevelDB holds up to two of these in memory, and reads one of them when it opens. Measured against the driver's 4 MiB: see the README. */
const writeBufferSize = 16 * 1024 * 1024
const cacheSize = 32 * 1024 * 1024

/** Opens the folder. The caller has its lock: a second native open in this process would drop LevelDB's own. */
export async function openFolder(path: string): Promise<LevelDatabase> {
  const database = new ClassicLevel(path, { writeBufferSize, cacheSize })
  try {
    await database.open()
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
