import { Command } from 'commander'
import { httpCommand } from './http/command.ts'

await new Command('bench')
  .description('What things cost beside what people use instead: interleaved rounds, ratios with their spread.')
  .addCommand(httpCommand())
  .parseAsync()
