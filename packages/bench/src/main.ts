import { Command } from 'commander'
import { httpCommand } from './http/command.ts'
import { sessionsCommand } from './sessions/command.ts'

await new Command('bench')
  .description('What things cost beside what people use instead: interleaved rounds, ratios with their spread.')
  .addCommand(sessionsCommand(), { isDefault: true })
  .addCommand(httpCommand())
  .parseAsync()
