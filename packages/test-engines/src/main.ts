import { pgbouncerPrograms } from './pgbouncer-programs.ts'
import { postgresPrograms } from './postgres-programs.ts'
import { redisPrograms } from './redis-programs.ts'
import { searchOf } from './search.ts'

// Says which engines the tests of this machine use, and fetches what is missing.
const search = searchOf(process.env)
const engines = [
  { name: 'Redis', find: redisPrograms, given: 'REDIS_URL' },
  { name: 'PostgreSQL', find: postgresPrograms, given: 'DATABASE_URL' },
  { name: 'pgbouncer', find: pgbouncerPrograms },
]
process.stdout.write(`cache: ${search.cache}\n`)
for (const { name, find, given } of engines) {
  if (given !== undefined && (process.env[given] ?? '') !== '') {
    process.stdout.write(`${name}: the server of ${given}, where a test takes any; others are started:\n`)
  }
  try {
    const { version, source } = await find(search)
    process.stdout.write(`${name}: ${version}\n  ${source}\n`)
  } catch (error) {
    process.stdout.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
