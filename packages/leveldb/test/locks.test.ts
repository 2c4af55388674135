import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { leveldbBackend } from '../src/index.ts'
import { call, failure, lentLevel, newFolder, newRecord, opened } from './fixtures.ts'
import { startOpener } from './opener-process.ts'

const patience = { timeout: 90_000 }

describe('a folder that is open', () => {
  it('refuses a second backend of the process, through a symbolic link too, and stays closed to other processes', patience, async () => {
    const path = newFolder()
    const link = join(newFolder(), 'link')
    symlinkSync(path, link)
    const backend = await opened({ path })
    const other = await startOpener()
    for (const again of [path, link]) {
      expect((await failure(leveldbBackend({ path: again }).open(), 'MCP_SESSION_LOCKED')).message).toContain(String(process.pid))
      // LevelDB itself would have forgotten its lock by now.
      expect(await other.run('open', path)).toMatchObject({ did: false, code: 'MCP_SESSION_LOCKED' })
      expect(await other.run('open bare', path)).toMatchObject({ did: false })
    }
    expect(await backend.create(newRecord(), call())).toBe(true)
  })

  it('refuses another process with the pid of its holder, which loses nothing by it', patience, async () => {
    const path = newFolder()
    const holder = await startOpener()
    expect(await holder.run('open', path)).toEqual({ did: true })
    const { id } = await holder.run('write', path)
    expect((await failure(leveldbBackend({ path }).open(), 'MCP_SESSION_LOCKED')).message).toContain(String(holder.pid))
    expect(await holder.run('write', path)).toMatchObject({ did: true })
    await holder.kill()
    const heir = await opened({ path })
    expect(await heir.get(id ?? '', call())).toBeDefined()
  })

  it('refuses a worker thread of its process, and stays closed to other processes', patience, async () => {
    const path = newFolder()
    const [holder, other] = await Promise.all([startOpener(), startOpener()])
    expect(await holder.run('open', path)).toEqual({ did: true })
    expect(await holder.run('open in a thread', path)).toMatchObject({ did: false, code: 'MCP_SESSION_LOCKED' })
    expect(await other.run('open bare', path)).toMatchObject({ did: false })
    expect(await holder.run('write', path)).toMatchObject({ did: true })
  })

  it('refuses others where LevelDB has lost its lock to a reader of its LOCK file, and where that file was removed', patience, async () => {
    const path = newFolder()
    const backend = await opened({ path })
    const other = await startOpener()
    readFileSync(join(path, 'LOCK'))
    expect(await other.run('open', path)).toMatchObject({ did: false, code: 'MCP_SESSION_LOCKED' })
    unlinkSync(join(path, 'LOCK'))
    expect(await other.run('open', path)).toMatchObject({ did: false, code: 'MCP_SESSION_LOCKED' })
    expect(await backend.create(newRecord(), call())).toBe(true)
  })

  it('acknowledges and shows nothing any more once its lock file was removed', async () => {
    const path = newFolder()
    const backend = await opened({ path })
    const known = newRecord()
    await backend.create(known, call())
    unlinkSync(join(path, 'mcp-session.lock'))
    await failure(backend.create(newRecord(), call()), 'MCP_SESSION_LOCKED')
    await failure(backend.get(known.id, call()), 'MCP_SESSION_LOCKED')
    await failure(backend.list({ limit: 10 }, call()), 'MCP_SESSION_LOCKED')
    await backend.close()
  })

  it('is free again after close, with nothing of the lock left in it', async () => {
    const path = newFolder()
    const backend = await opened({ path })
    expect(existsSync(join(path, 'mcp-session.lock'))).toBe(true)
    await backend.close()
    expect(readdirSync(path).filter((name) => name.startsWith('mcp-session'))).toEqual([])
    await opened({ path })
  })

  it('that a program has opened without this package is refused, and named as locked', patience, async () => {
    const path = newFolder()
    const stranger = await startOpener()
    expect(await stranger.run('open bare', path)).toEqual({ did: true })
    const error = await failure(leveldbBackend({ path }).open(), 'MCP_SESSION_LOCKED')
    expect(error.message).toMatch(/another program/)
    await stranger.kill()
    await opened({ path })
  })
})

describe('a lent database', () => {
  it('keeps a backend off its folder, so that LevelDB does not lose its lock', patience, async () => {
    const path = newFolder()
    const db = await lentLevel(path)
    const backend = await opened({ db })
    await failure(leveldbBackend({ path }).open(), 'MCP_SESSION_LOCKED')
    const other = await startOpener()
    expect(await other.run('open bare', path)).toMatchObject({ did: false })
    expect(await backend.create(newRecord(), call())).toBe(true)
  })

  it('takes one store for each of its sublevels, and not two for one', async () => {
    const db = await lentLevel()
    const one = await opened({ db: db.sublevel('one') })
    const two = await opened({ db: db.sublevel('two') })
    await failure(leveldbBackend({ db: db.sublevel('one') }).open(), 'MCP_SESSION_LOCKED')
    const record = newRecord()
    expect(await one.create(record, call())).toBe(true)
    expect(await two.get(record.id, call())).toBeUndefined()
    await one.close()
    await opened({ db: db.sublevel('one') })
  })
})

describe('killed processes', () => {
  it('leave every acknowledged session with its event, and a folder that opens at once', patience, async () => {
    const path = newFolder()
    const acknowledged: string[] = []
    for (let round = 0; round < 3; round += 1) {
      const writer = await startOpener()
      expect(await writer.run('open', path)).toEqual({ did: true })
      writer.start('write for ever', path)
      for (let count = 0; count < 40; count += 1) acknowledged.push((await writer.next()).id ?? '')
      await writer.kill()
    }
    const heir = await opened({ path })
    for (const id of acknowledged) {
      expect(await heir.get(id, call())).toMatchObject({ id, data: id })
      expect(await heir.events?.read(id, { after: 0, limit: 10, maxAgeMs: Number.POSITIVE_INFINITY }, call())).toMatchObject({ last: 1 })
    }
  })
})

it('a new folder is private to its user', async () => {
  const path = join(newFolder(), 'sessions')
  await opened({ path })
  expect(statSync(path).mode & 0o777).toBe(0o700)
})
