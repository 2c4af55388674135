export type { SqliteDatabase, SqliteStatement } from './driver.ts'
export type { SqliteBackendOptions, SqliteFileOptions, SqliteHandleOptions } from './options.ts'
export { sqliteBackend } from './sqlite-backend.ts'
