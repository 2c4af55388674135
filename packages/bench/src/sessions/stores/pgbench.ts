import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Measured } from '../closed-loop.ts'
import { latenciesOf } from '../latencies.ts'
import type { Cell } from '../ops.ts'
import { recordOf } from '../record.ts'
import type { Place } from '../store.ts'
import { removeSchema } from './postgres-stores.ts'
import { outputOf } from './program.ts'
import { sessionTable } from './session-table.ts'

const rows = 10_000

/** PostgreSQL's own benchmark: one prepared statement per call, from a client in C. */
export async function pgbench({ url, namespace, folder }: Place, { op, inFlight }: Cell, seconds: number): Promise<Measured> {
  const script = join(folder, `${op}.sql`)
  await writeFile(script, op === 'create' ? insertScript(namespace) : selectScript(namespace))
  await prepare(url, namespace)
  try {
    const wholeSeconds = Math.max(1, Math.round(seconds))
    const args = ['-n', '-M', 'prepared', '-c', String(inFlight), '-j', '1', '-T', String(wholeSeconds), '-f', script, url]
    return measuredIn(await outputOf('pgbench', args), wholeSeconds)
  } finally {
    await removeSchema(url, namespace)
  }
}

function selectScript(schema: string): string {
  return `\\set n random(1, ${rows})\nSELECT data FROM ${schema}.sessions WHERE id = 'n' || :n AND expires_at > now();\n`
}

function insertScript(schema: string): string {
  const data = JSON.stringify(recordOf('', 1).metadata).replaceAll("'", "''").replaceAll(':', ': ')
  return `INSERT INTO ${schema}.sessions VALUES (gen_random_uuid()::text, 1, now(), now() + interval '30 min', '${data}');\n`
}

async function prepare(url: string, schema: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sessionTable(schema))
    const data = JSON.stringify(recordOf('', 1).metadata)
    const text = `INSERT INTO ${schema}.sessions SELECT 'n' || n, 1, now(), now() + interval '1 day', $1 FROM generate_series(1, ${rows}) AS n`
    await client.query(text, [data])
    await client.query(`VACUUM ANALYZE ${schema}.sessions`)
  } finally {
    await client.end()
  }
}

/** It tells an average latency only: that stands for all of them. */
function measuredIn(output: string, seconds: number): Measured {
  const tps = Number(/^tps = ([\d.]+)/m.exec(output)?.[1])
  const latencyMs = Number(/^latency average = ([\d.]+) ms/m.exec(output)?.[1])
  if (!(tps > 0)) throw new Error(`pgbench told no rate: ${output}`)
  return { calls: Math.round(tps * seconds), missed: 0, seconds, opsPerSecond: tps, cpuUs: 0, ...latenciesOf([latencyMs]) }
}
