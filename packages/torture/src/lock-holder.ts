import { parseArgs } from 'node:util'
import Database from 'better-sqlite3'
import { answerRequests } from './client-requests.ts'
import type { StorePlace } from './store-place.ts'

// A process that takes the write lock of a file of SQLite, and gives it back when it is told to.

const { values } = parseArgs({ options: { store: { type: 'string' } } })
const { path = '' }: StorePlace = JSON.parse(values.store ?? '{}')
const database = new Database(path, { timeout: 10_000 })

answerRequests(async (request: { readonly do: 'hold' | 'release' }) => {
  database.exec(request.do === 'hold' ? 'BEGIN IMMEDIATE' : 'ROLLBACK')
})
