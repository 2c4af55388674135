export { migratePostgres } from './migrate-postgres.ts'
export type { PostgresBackendOptions, PostgresPoolOptions, PostgresTable, PostgresUrlOptions } from './options.ts'
export { postgresBackend } from './postgres-backend.ts'
