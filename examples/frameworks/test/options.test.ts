import { describe, expect, it } from 'vitest'
import { optionsOf } from '../src/options.ts'

describe('optionsOf', () => {
  it('has defaults, and takes the port from the environment or, before that, from the command line', () => {
    expect(optionsOf([], {})).toEqual({ port: 3_000, database: undefined, json: false, ttlMs: undefined })
    expect(optionsOf([], { PORT: '81' }).port).toBe(81)
    expect(optionsOf(['--port', '82'], { PORT: '81' }).port).toBe(82)
  })

  it.each([
    [['--port', '65536'], '--port is a number up to 65535, not 65536'],
    [['--port', 'x'], '--port is a number up to 65535, not x'],
    [['--ttl', '0'], '--ttl is a whole number of milliseconds, not 0'],
    [['--colour'], "'--colour'"],
  ])('refuses %j', (args, message) => {
    expect(() => optionsOf(args, {})).toThrow(message)
  })
})
