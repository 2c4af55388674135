import { Command } from 'commander'
import { httpCommand } from './http/command.ts'
import { instructionsCommand } from './instructions/command.ts'
import { resultsCommand } from './results/command.ts'
import { sessionsCommand } from './sessions/command.ts'
import { curvesCommand } from './sessions/curves-command.ts'

await new Command('bench')
  .description('What things cost beside what people use instead: interleaved rounds, ratios with their spread.')
  .addCommand(sessionsCommand(), { isDefault: true })
  .addCommand(curvesCommand())
  .addCommand(httpCommand())
  .addCommand(instructionsCommand())
  .addCommand(resultsCommand())
  .parseAsync()
