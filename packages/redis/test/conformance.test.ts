import { describeBackend } from '@mcp-session/conformance'
import { afterAll, describe, it } from 'vitest'
import { end, harness } from './conformance-harness.ts'

afterAll(end)

describeBackend({ describe, it }, harness)
