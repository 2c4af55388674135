import { describeBackend } from '@mcp-session/conformance'
import { describe, it } from 'vitest'
import { harness } from './conformance-harness.ts'

describeBackend({ describe, it }, harness)
