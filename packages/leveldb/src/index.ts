export type { LevelBatch, LevelDatabase, LevelRange, LevelSnapshot } from './driver.ts'
export { leveldbBackend } from './leveldb-backend.ts'
export type { LeveldbBackendOptions, LeveldbDatabaseOptions, LeveldbFolderOptions } from './options.ts'
