import { parseArgs } from 'node:util'

export interface Options {
  /** Path of the SQLite file. */
  readonly store: string
  /** 0: any free one. */
  readonly port: number
  /** How long a cart lives after its last use. */
  readonly cartTtlMs: number
}

/** Reads the command line; a mistake there is a `RangeError` or `TypeError` that says what is allowed. */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: 'string', default: 'shop.db' },
      port: { type: 'string', default: '0' },
      'cart-ttl-ms': { type: 'string', default: '1800000' },
    },
  })
  return {
    store: values.store,
    port: whole('--port', values.port, 65_535),
    cartTtlMs: whole('--cart-ttl-ms', values['cart-ttl-ms'], 2 ** 31),
  }
}

function whole(name: string, text: string, max: number): number {
  if (/^\d+$/.test(text) && Number(text) <= max) return Number(text)
  throw new RangeError(`${name} is a whole number up to ${max}, not ${text}`)
}
