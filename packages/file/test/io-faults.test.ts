import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { expect, it } from 'vitest'
import { fileBackendOn } from '../src/internal.ts'
import { call, failed, newRecord, small } from './fixtures.ts'
import { failure, memoryDisk } from './memory-disk.ts'
import { workload } from './workload.ts'

const options = { path: '/store' }
const steps = 25
const patience = { timeout: 300_000 }

/** Operations that change a disk: reads have a test of their own. */
const changing = ['write', 'sync', 'create', 'rename', 'unlink', 'sync folder']

/** Opens again and again, as an operator would: once the disk works, it must succeed. */
async function openAtLast(backend: SessionBackend): Promise<void> {
  await backend.open().catch(() => backend.open())
}

/** Runs the same calls with the n-th change failing, and every later one where it lasts; then on a disk that works again. */
async function runWithFault(code: string, n: number, lasts: boolean): Promise<{ readonly hits: number; readonly failures: unknown[] }> {
  let count = 0
  let [hits, broken] = [0, true]
  const disk = memoryDisk(new Map(), (operation) => {
    if (!changing.includes(operation)) return
    count += 1
    if (!broken || (lasts ? count < n : count !== n)) return
    hits += 1
    throw failure(code)
  })
  const work = workload(n)
  const backend = fileBackendOn(disk, small, options)
  const isOpen = await backend.open().then(
    () => true,
    () => false,
  )
  const failures = isOpen ? await work.run(backend, steps) : []
  broken = false
  if (!isOpen) await openAtLast(backend)
  // The disk works again: so does the store, at once and as it is.
  expect(await work.run(backend, 8), `${code} at ${n}`).toEqual([])
  expect(await work.wrongs(backend), `${code} at ${n}`).toEqual([])
  await backend.close()
  const reopened = fileBackendOn(disk, small, options)
  await reopened.open()
  expect(await work.wrongs(reopened), `${code} at ${n}, reopened`).toEqual([])
  await reopened.close()
  return { hits, failures }
}

for (const code of ['EIO', 'ENOSPC']) {
  for (const lasts of [false, true]) {
    it(
      `any change of the disk that fails with ${code} ${lasts ? 'for a while' : 'once'} loses nothing, and service returns by itself`,
      patience,
      async () => {
        const backend = fileBackendOn(memoryDisk(), small, options)
        for (let n = 1; ; n += 1) {
          const { hits, failures } = await runWithFault(code, n, lasts)
          if (hits === 0) break
          for (const error of failures)
            expect(backend.classify(error)?.code, String(error)).toMatch(code === 'EIO' ? /UNAVAILABLE/ : /LIMIT/)
        }
      },
    )
  }
}

it('acknowledges nothing from a file whose sync failed, and forgets what that file may have', async () => {
  let fails = false
  const disk = memoryDisk(new Map(), (operation) => {
    if (fails && operation === 'sync') throw failure('EIO')
  })
  const backend = fileBackendOn(disk, small, options)
  await backend.open()
  const [kept, lost, next] = [newRecord(), newRecord(), newRecord()]
  await backend.create(kept, call())
  fails = true
  await expect(backend.create(lost, call())).rejects.toMatchObject({ code: 'EIO' })
  expect(await backend.get(lost.id, call())).toBeUndefined()
  expect((await backend.health(call())).warnings).toMatchObject([{ code: 'file-write-failed' }])
  fails = false
  expect(await backend.create(next, call())).toBe(true)
  expect((await backend.health(call())).warnings).toEqual([])
  await backend.close()
  const reopened = fileBackendOn(disk, small, options)
  await reopened.open()
  for (const { id } of [kept, next]) expect(await reopened.get(id, call())).toMatchObject({ id })
  // Its frame is whole in the file, behind the end that the manifest names.
  expect(await reopened.get(lost.id, call())).toBeUndefined()
  await reopened.close()
})

it('on a full disk sessions can be read and deleted, other writes get LIMIT with nothing written, and go on once there is room', async () => {
  let full = false
  const disk = memoryDisk(new Map(), (operation) => {
    if (full && (operation === 'create' || operation === 'write')) throw failure('ENOSPC')
  })
  // Writes into zeros that were allocated before need no room: only files that grow do.
  const roomy = { ...disk, create: grown(disk.create), open: disk.open }
  const backend = fileBackendOn(roomy, small, options)
  await backend.open()
  const records = Array.from({ length: 8 }, () => newRecord())
  for (const record of records) await backend.create(record, call())
  full = true
  let refused: SessionError | undefined
  for (let n = 0; n < 50 && refused === undefined; n += 1) {
    await backend.create(newRecord({ data: 'x'.repeat(100) }), call()).catch((error: unknown) => {
      refused = SessionError.is(error) ? error : undefined
    })
  }
  expect(refused).toMatchObject({ code: 'MCP_SESSION_LIMIT', outcome: 'none', retryable: true })
  const [gone, ...others] = records
  // More than what is left where others are refused: they need the reserve.
  for (const { id } of others.splice(2)) expect(await backend.delete(id, undefined, call())).toBe(true)
  const both = await Promise.allSettled([
    backend.delete(gone?.id ?? '', undefined, call()),
    backend.create(newRecord({ data: 'x'.repeat(400) }), call()),
  ])
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(await backend.get(gone?.id ?? '', call())).toBeUndefined()
  for (const record of others) expect(await backend.get(record.id, call())).toEqual(record)
  full = false
  expect(await backend.create(newRecord(), call())).toBe(true)
  await backend.close()

  /** `write` to a part that is there already does not fail. */
  function grown(create: typeof disk.create): typeof disk.create {
    return async (path, use) => {
      const file = await create(path, use)
      return {
        ...file,
        async writeSynced(bytes, position) {
          const wasFull = full
          full = full && position + bytes.length > (await file.size())
          try {
            await file.writeSynced(bytes, position)
          } finally {
            full = wasFull
          }
        },
      }
    }
  }
})

it('a lock that is lost ends all acknowledgements', async () => {
  const disk = memoryDisk()
  let isOurs = true
  const lock = {
    assertHeld() {
      if (!isOurs) throw new SessionError('MCP_SESSION_LOCKED', 'made by the test')
    },
    async release() {},
  }
  const taking = {
    ...disk,
    lock: async () => lock,
    async create(path: string, use: 'reading' | 'writes' | 'synced writes') {
      const file = await disk.create(path, use)
      return {
        ...file,
        async writeSynced(bytes: Buffer, position: number) {
          await file.writeSynced(bytes, position)
          if (taken) isOurs = false
        },
      }
    },
  }
  let taken = false
  const backend = fileBackendOn(taking, small, options)
  await backend.open()
  const [kept, late] = [newRecord(), newRecord()]
  await backend.create(kept, call())
  taken = true
  expect((await failed(backend.create(late, call()), 'MCP_SESSION_LOCKED')).outcome).toBe('unknown')
  expect(await backend.get(late.id, call())).toBeUndefined()
  expect((await failed(backend.create(late, call()), 'MCP_SESSION_LOCKED')).outcome).toBe('none')
  const before = disk.files().get('manifest')
  await backend.close().catch(() => {})
  expect(disk.files().get('manifest')).toEqual(before)
})
