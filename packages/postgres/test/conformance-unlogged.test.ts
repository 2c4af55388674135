import { describeBackend } from '@mcp-session/conformance'
import { afterAll, describe, it } from 'vitest'
import { end, harness } from './harness-unlogged.ts'

afterAll(end)
describeBackend({ describe, it }, harness)
