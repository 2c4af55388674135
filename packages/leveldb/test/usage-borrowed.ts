import { openSessions } from '@mcp-session/core'
import { leveldbBackend } from '@mcp-session/leveldb'
import { ClassicLevel } from 'classic-level'

const db = new ClassicLevel('app')
await db.open()

const sessions = await openSessions({ backend: leveldbBackend({ db: db.sublevel('sessions') }) })
const { id } = await sessions.create({ user: 'bob' })
console.log((await sessions.retrieve(id))?.metadata) // { user: 'bob' }
await sessions.close() // leaves the database open

await db.put('something', 'else')
await db.close()
