import { openSessions } from '@mcp-session/core'
import { sqliteBackend } from '@mcp-session/sqlite'

interface Cart {
  readonly user: string
  readonly items: readonly string[]
}

const backend = sqliteBackend({ path: process.argv[2] ?? 'sessions.db' })
const sessions = await openSessions<Cart>({ backend, kind: 'cart', ttlMs: 30 * 60_000 })

const { id } = await sessions.create({ user: 'alice', items: [] }, { owner: 'alice' })

// Atomic on every backend, across processes: fn runs again where somebody else was faster.
await sessions.update(id, (cart) => ({ ...cart, items: [...cart.items, 'tea'] }), { owner: 'alice' })

console.log((await sessions.retrieve(id, { owner: 'alice' }))?.metadata.items) // [ 'tea' ]
console.log(await sessions.retrieve(id, { owner: 'mallory' })) // undefined: as if it did not exist

await sessions.close()
