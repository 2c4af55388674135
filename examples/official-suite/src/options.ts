import { Command, InvalidArgumentError, Option } from 'commander'

export interface Options {
  /** Major of the SDK. */
  readonly sdk: 'v1' | 'v2'
  /** Path of the SQLite file that holds the sessions; `undefined`: they are in memory. */
  readonly backend?: string
  /** 0: any free one. */
  readonly port: number
  /** The SDK's own transport, with the sessions in this process. */
  readonly stock: boolean
  /** How calls are answered that send nothing before their answer. */
  readonly answers: 'streams' | 'json'
}

/** The command line. A mistake there is told on stderr, and ends the process with code 1. */
export function commandLine(): Command {
  return new Command('official-suite-server')
    .addOption(new Option('--sdk <major>', 'major of the SDK').choices(['v1', 'v2']).default('v2'))
    .option('--backend <url>', 'sqlite:<path>; in memory where none is given', pathOf)
    .option('--port <number>', '0: any free one', portOf, 0)
    .option('--stock', "the SDK's own transport, with the sessions in this process", false)
    .addOption(new Option('--answers <form>', 'how plain calls are answered').choices(['streams', 'json']).default('streams'))
}

function pathOf(url: string): string {
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (path === undefined) throw new InvalidArgumentError('It is sqlite:<path>.')
  return path
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It is a number up to 65535.')
  return port
}
