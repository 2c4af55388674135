import { createClaims, Refuted } from '@mcp-session/example-demo/claims'
import type { Major } from '@mcp-session/example-demo/connect'
import { createScreen } from '@mcp-session/example-demo/screen'
import { Command, Option } from 'commander'
import { type EngineName, tellStory } from './story.ts'

interface Options {
  readonly backend: EngineName
  readonly sdk: Major | 'both'
  readonly plant?: 'memory'
}

const { backend, sdk, plant } = new Command('demo:cluster')
  .description('One MCP client, one session, two servers behind a round-robin proxy, one of which is killed.')
  .addOption(new Option('--backend <name>', 'where the sessions are').choices(['redis', 'postgres']).default('redis'))
  .addOption(new Option('--sdk <major>', 'of the client; the servers are one of each').choices(['v1', 'v2', 'both']).default('v2'))
  .addOption(new Option('--plant <fault>', 'a fault that must turn the verdict, for the test').choices(['memory']).hideHelp())
  .parse()
  .opts<Options>()
const colours = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined

for (const major of sdk === 'both' ? (['v1', 'v2'] as const) : [sdk]) {
  const screen = createScreen({ print: (line) => console.log(line), colours, now: () => performance.now() })
  try {
    await tellStory({ engine: backend, sdk: major, inMemory: plant === 'memory', claims: createClaims(), screen })
  } catch (error) {
    process.exitCode = 1
    screen.verdict(false, error instanceof Refuted ? error.message : String(error instanceof Error ? error.stack : error))
  }
}
