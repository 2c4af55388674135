import { parseArgs } from 'node:util'

export interface Options {
  /** 0: any free one. */
  readonly port: number
  /** Path of a SQLite file; undefined: sessions live in memory. */
  readonly database: string | undefined
  /** Whether something in front of the handler parses JSON bodies. */
  readonly json: boolean
  /** Idle window of a session; undefined: the handler's default. */
  readonly ttlMs: number | undefined
}

/** Reads the command line, and the environment for `PORT`; a mistake there is a `RangeError` or `TypeError` that says what is allowed. */
export function optionsOf(args: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' }, database: { type: 'string' }, json: { type: 'boolean', default: false }, ttl: { type: 'string' } },
  })
  const { port = env['PORT'] ?? '3000', database, json, ttl } = values
  if (!/^\d+$/.test(port) || Number(port) > 65_535) throw new RangeError(`--port is a number up to 65535, not ${port}`)
  if (ttl !== undefined && !/^[1-9]\d*$/.test(ttl)) throw new RangeError(`--ttl is a whole number of milliseconds, not ${ttl}`)
  return { port: Number(port), database, json, ttlMs: ttl === undefined ? undefined : Number(ttl) }
}
