// For the harnesses of this repository only: no part of the published package.
export type { Disk, DiskFile, FileUse } from './disk.ts'
export { fileBackendOn } from './file-backend.ts'
export { nodeDisk } from './node-disk.ts'
export { defaultTuning, type Tuning } from './tuning.ts'
