import { describe, expect, it } from 'vitest'
import { commandLine } from '../src/options.ts'

const read = (...args: string[]) =>
  commandLine()
    .exitOverride()
    .configureOutput({ writeErr() {} })
    .parse(args, { from: 'user' })
    .opts()

describe('the command line of the server', () => {
  it('has defaults', () => {
    expect(read()).toEqual({ sdk: 'v2', port: 0, stock: false, answers: 'streams' })
  })

  it('takes a major, a SQLite file, a port, a form and the stock transport', () => {
    const options = read('--sdk', 'v1', '--backend', 'sqlite:a.db', '--port', '65535', '--answers', 'json', '--stock')
    expect(options).toEqual({ sdk: 'v1', backend: 'a.db', port: 65_535, stock: true, answers: 'json' })
  })

  it.each([
    ['--sdk', 'v3', "option '--sdk <major>' argument 'v3' is invalid"],
    ['--backend', 'redis://nowhere', 'It is sqlite:<path>.'],
    ['--port', '65536', 'It is a number up to 65535.'],
    ['--port', '1e3', 'It is a number up to 65535.'],
    ['--answers', 'xml', "argument 'xml' is invalid"],
  ])('refuses %s %s', (option, value, message) => {
    expect(() => read(option, value)).toThrow(message)
  })
})
