import { describeBackend } from '@mcp-session/conformance'
import { describe, it } from 'vitest'
import { memoryBackend } from '../src/index.ts'

describeBackend({ describe, it }, { open: () => ({ backend: memoryBackend() }) })
