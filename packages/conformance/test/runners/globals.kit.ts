import { describeBackend, type TestRunner } from '../../src/index.ts'
import { harness } from './harness.ts'

// jest and mocha give these to every test file.
declare const describe: TestRunner['describe']
declare const it: TestRunner['it']

describeBackend({ describe, it }, harness)
