import { describe, it } from 'vitest'
import { describeBackend } from '../../src/index.ts'
import { harness } from './harness.ts'

describeBackend({ describe, it }, harness)
