import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NotRun } from './harness.ts'

/** Throws `NotRun` unless strace is there, and may trace. */
export async function requireStrace(): Promise<void> {
  try {
    await promisify(execFile)('strace', ['-f', '-e', 'trace=none', process.execPath, '--version'])
  } catch (error) {
    throw new NotRun(`strace cannot be used here: ${error instanceof Error ? error.message.slice(0, 200) : error}`)
  }
}

/** So many files of each kind are watched: more than a script makes. */
const numbers = Array.from({ length: 300 }, (_, n) => n)

/** Options that have strace look at the files of that store only, in all threads. */
export function straceArgs(backend: string, folder: string): readonly string[] {
  return ['-f', '-q', ...filesOf(backend, realpathSync(folder)).flatMap((path) => ['-P', path])]
}

function filesOf(backend: string, folder: string): readonly string[] {
  const store = join(folder, 'store')
  const inStore = (names: readonly string[]) => [store, ...names.map((name) => join(store, name))]
  switch (backend) {
    case 'file':
      return inStore(['manifest', 'manifest.new', ...numbers.map((number) => `${String(number).padStart(8, '0')}.log`)])
    case 'leveldb':
      return inStore(['CURRENT', 'LOG', 'LOG.old', ...numbers.flatMap(levelNames)])
    case 'sqlite':
      return [folder, ...['', '-wal', '-shm', '-journal'].map((end) => join(folder, `sessions.db${end}`))]
    default:
      throw new RangeError(`The files of ${backend} are not known`)
  }
}

function levelNames(number: number): readonly string[] {
  const padded = String(number).padStart(6, '0')
  return [`${padded}.log`, `${padded}.ldb`, `${padded}.dbtmp`, `MANIFEST-${padded}`]
}
