import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contestants } from '../src/sessions/contestants.ts'
import type { Job } from '../src/sessions/job.ts'
import { NotHere } from '../src/sessions/not-here.ts'
import { measureOpening } from '../src/sessions/opening.ts'
import { cellsOf, ops } from '../src/sessions/ops.ts'
import type { SizedContent } from '../src/sessions/record-size.ts'
import { runJob } from '../src/sessions/run-job.ts'
import { countedStore } from './counted-store.ts'

const job: Job = {
  contestant: '',
  sessions: 30,
  seconds: 0.003,
  warmUpSeconds: 0.001,
  seed: 1,
  load: { kind: 'closed', cells: cellsOf(ops, [1, 8]), macrotask: false },
}

const embedded = contestants.flatMap((contestant) => ('open' in contestant && contestant.engine === undefined ? [contestant] : []))

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-session-bench-test-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test.each(embedded)(
  '$name finds every session that it is asked for, and ends with just those that stay',
  async ({ open, name, ops: own }) => {
    await inFolder(async (folder) => {
      const opened = open({ folder, namespace: 'bench', url: '' })
      const store = await opened.catch((error) => error)
      if (store instanceof NotHere) {
        expect(name).toBe('@keyv/sqlite 4')
        return
      }
      const chosen = ops.filter((op) => own?.includes(op) ?? true)
      const { cells, sessions } = await runJob(await opened, {
        ...job,
        load: { ...job.load, kind: 'closed', cells: cellsOf(chosen, [1, 8]), macrotask: false },
      })
      await store.close()
      expect(sessions).toBe(30)
      expect(cells?.map(({ op, inFlight }) => ({ op, inFlight }))).toEqual(cellsOf(chosen, [1, 8]))
      // A torn read of its own is what the note of this peer says.
      if (name !== 'unstorage fs') for (const cell of cells ?? []) expect(cell).toMatchObject({ missed: 0 })
      for (const cell of cells ?? []) expect(cell.calls).toBeGreaterThan(0)
    })
  },
  60_000,
)

test('the job asks as often as its figures and its preparations say, and deletes what it created', async () => {
  const { store, asked } = countedStore()
  const { cells } = await runJob(store, job)
  const measured = (op: string) => (cells ?? []).filter((cell) => cell.op === op).reduce((sum, { calls }) => sum + calls, 0)
  expect(asked.get('create') ?? 0).toBeGreaterThanOrEqual(30 + measured('create'))
  expect(asked.get('delete')).toBe((asked.get('create') ?? 0) - 30)
  expect(await store.count()).toBe(30)
})

test('with records of a chosen size every session is of that size; a store that has but one size is refused', async () => {
  const { store } = countedStore()
  const sizes = new Set<number>()
  let made = 0
  const createOf = (content: SizedContent) => {
    sizes.add(JSON.stringify(content).length)
    made += 1
    return store.create(made)
  }
  await runJob({ ...store, createOf }, { ...job, recordBytes: 5_000 })
  expect(made).toBeGreaterThan(30)
  expect([...sizes]).toEqual([5_000])
  await expect(runJob(store, { ...job, recordBytes: 5_000 })).rejects.toThrow('all of one size')
})

test('a store that loses a session is not measured', async () => {
  const { store } = countedStore()
  await expect(runJob({ ...store, count: async () => (await store.count()) - 1 }, job)).rejects.toThrow(
    'holds 29 sessions at the end; 30 must',
  )
})

test.each(['memory', 'sqlite'])('%s deletes just the expired ones while others call', async (name) => {
  await inFolder(async (folder) => {
    const store = await embedded.find((contestant) => contestant.name === name)?.open({ folder, namespace: 'bench', url: '' })
    if (store === undefined) throw new Error(`no ${name}`)
    const { cleaning, sessions } = await runJob(store, { ...job, load: { kind: 'cleaning', expired: 300, inFlight: 4 } })
    expect(cleaning?.deleted).toBe(300)
    expect(cleaning?.p99MeanwhileUs).toBeGreaterThan(0)
    expect(sessions).toBe(30)
    await store.close()
  })
})

test('a cleanup that deletes too little is refused', async () => {
  const { store } = countedStore()
  const lazy = { ...store, createExpired: async () => {}, cleanup: async () => 299 }
  const cleaning = runJob(lazy, { ...job, load: { kind: 'cleaning', expired: 300, inFlight: 0 } })
  await expect(cleaning).rejects.toThrow('299 sessions were deleted; 300 had expired')
})

test('opening is measured on what another store has left, and counted', async () => {
  await inFolder(async (folder) => {
    const sqlite = embedded.find((contestant) => contestant.name === 'sqlite')
    if (sqlite === undefined) throw new Error('no sqlite')
    const place = { folder, namespace: 'bench', url: '' }
    const filled = await sqlite.open(place)
    await runJob(filled, { ...job, load: { kind: 'closed', cells: [], macrotask: false } })
    await filled.close()
    expect(await measureOpening(sqlite, place, 30)).toMatchObject({ sessions: 30, opening: { openMs: expect.any(Number) } })
    await expect(measureOpening(sqlite, place, 31)).rejects.toThrow('holds 30 sessions after it was opened; 31 must')
  })
})
