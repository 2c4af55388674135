import { writeFileSync } from 'node:fs'
import { lawsModule } from './laws-of-the-contract.ts'

// Run as `node --import tsx test/write-laws.ts` after a law has changed.
writeFileSync(new URL('../src/laws.ts', import.meta.url), lawsModule())
