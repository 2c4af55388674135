import { describe, it } from 'node:test'
import { describeBackend } from '../../src/index.ts'
import { harness } from './harness.ts'

describeBackend({ describe, it }, harness)
