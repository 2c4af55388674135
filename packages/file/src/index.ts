export { fileBackend } from './file-backend.ts'
export type { FileBackendOptions, OpenReport, PutAside } from './options.ts'
