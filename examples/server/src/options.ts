import { parseArgs } from 'node:util'

export interface Options {
  readonly sdk: 'v1' | 'v2'
  /** `memory:`, `sqlite:<path>`, `redis://…` or `postgres://…`. */
  readonly backend: string
  /** 0: any free one. */
  readonly port: number
}

/** Reads the command line; a mistake there is a `RangeError` or `TypeError` that says what is allowed. */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sdk: { type: 'string', default: 'v2' },
      backend: { type: 'string', default: 'memory:' },
      port: { type: 'string', default: '0' },
    },
  })
  const { sdk, backend } = values
  if (sdk !== 'v1' && sdk !== 'v2') throw new RangeError(`--sdk is v1 or v2, not ${sdk}`)
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new RangeError(`--port is a number up to 65535, not ${values.port}`)
  return { sdk, backend, port }
}
