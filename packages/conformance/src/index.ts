export type { Case, Requirement } from './case.ts'
export { allCases } from './cases/index.ts'
export { type ManualClock, manualClock } from './clock.ts'
export { describeBackend, type TestRunner } from './describe-backend.ts'
export type { Borrowed, DriverError, Harness, Store } from './harness.ts'
export { type LawId, laws } from './laws.ts'
export { isLinearizable, type Specification, type Timed } from './linearizability.ts'
export {
  checkRecordHistory,
  describeHistory,
  type RecordAnswer,
  type RecordCall,
  type RecordOperation,
  type Violation,
} from './record-history.ts'
export { type Failure, failureMessage } from './run-case.ts'
export { type Report, type RunOptions, runConformance } from './run-conformance.ts'
export { type StoreLawId, storeLaws } from './store-laws.ts'
export type { Trial } from './trial.ts'
