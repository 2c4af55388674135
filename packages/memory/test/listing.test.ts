import { encodeCursor } from '@mcp-session/core/backend'
import { describe, expect, it } from 'vitest'
import { at, dice, idsOf, opened, record } from './records-for-tests.ts'

describe('list', () => {
  it('goes on after the page before, though its last session and all its neighbours are gone', async () => {
    const backend = await opened()
    for (let index = 0; index < 1_000; index += 1) await backend.create(record(`s_${index}`), at(0))
    const ids = await idsOf(backend, { limit: 300 }, 0, async (page) => {
      if (page !== 1) return
      for (let index = 100; index < 500; index += 1) await backend.delete(`s_${index}`, undefined, at(0))
      await backend.create(record('s_new'), at(0))
    })
    const survivors = Array.from({ length: 1_000 }, (_, index) => `s_${index}`).filter((_, index) => index < 300 || index >= 500)
    expect(ids).toEqual([...survivors, 's_new'])
  })

  it('shows every session that lives throughout, whatever is created, replaced, given away and deleted meanwhile', async () => {
    const roll = dice(5)
    const backend = await opened()
    const throughout = new Set<string>()
    const others: string[] = []
    for (let index = 0; index < 2_000; index += 1) {
      await backend.create(record(`s_${index}`, { owner: `o${index % 3}` }), at(0))
      if (roll(10) === 0) throughout.add(`s_${index}`)
      else others.push(`s_${index}`)
    }
    let made = 0
    async function stir(): Promise<void> {
      for (let times = 0; times < 50; times += 1) {
        const [id] = others.splice(roll(others.length), 1)
        if (id !== undefined) await backend.delete(id, undefined, at(0))
        made += 1
        const created = `s_new${made}`
        others.push(created)
        await backend.create(record(created, { owner: `o${made % 3}` }), at(0))
        const changed = [...throughout][roll(throughout.size)] ?? ''
        const present = await backend.get(changed, at(0))
        if (present !== undefined) await backend.replace({ ...present, rev: `r${made}`, owner: `o${roll(3)}` }, present.rev, at(0))
      }
    }
    const listed = new Set(await idsOf(backend, { limit: 100 }, 0, stir))
    expect([...throughout].filter((id) => !listed.has(id))).toEqual([])
    expect(new Set(await idsOf(backend, { limit: 100 })).size).toBe((await idsOf(backend, { limit: 10_000 })).length)
  })

  it('lists the sessions of one owner, also after one changed hands', async () => {
    const backend = await opened()
    for (let index = 0; index < 9; index += 1)
      await backend.create(record(`s_${index}`, { owner: index % 3 === 0 ? 'alice' : 'bob' }), at(0))
    await backend.create(record('s_9'), at(0))
    await backend.replace(record('s_0', { owner: 'bob', rev: 'moved' }), 'rev-of-s_0', at(0))
    await backend.delete('s_4', undefined, at(0))
    expect(await idsOf(backend, { limit: 1, owner: 'alice' })).toEqual(['s_3', 's_6'])
    expect(await idsOf(backend, { limit: 2, owner: 'bob' })).toEqual(['s_1', 's_2', 's_5', 's_7', 's_8', 's_0'])
    expect(await idsOf(backend, { limit: 2, owner: 'carol' })).toEqual([])
    expect(await idsOf(backend, { limit: 2, owner: '' })).toEqual([])
  })

  it('goes on within an owner, though the session of the cursor is gone or another’s', async () => {
    const backend = await opened()
    for (let index = 0; index < 6; index += 1) await backend.create(record(`s_${index}`, { owner: 'alice' }), at(0))
    const first = await backend.list({ limit: 2, owner: 'alice' }, at(0))
    const cursor = first.cursor ?? ''
    await backend.delete('s_1', undefined, at(0))
    expect((await backend.list({ limit: 9, owner: 'alice', cursor }, at(0))).records.map((one) => one.id)).toEqual([
      's_2',
      's_3',
      's_4',
      's_5',
    ])
    await backend.replace(record('s_0', { owner: 'bob', rev: 'moved' }), 'rev-of-s_0', at(0))
    expect((await backend.list({ limit: 9, owner: 'alice', cursor }, at(0))).records.map((one) => one.id)).toEqual([
      's_2',
      's_3',
      's_4',
      's_5',
    ])
  })

  it('shows an owner no session of another, whatever listing the cursor is from', async () => {
    const backend = await opened()
    for (const [id, owner] of [
      ['s_0', 'bob'],
      ['s_1', 'alice'],
      ['s_2', 'bob'],
    ] as const)
      await backend.create(record(id, { owner }), at(0))
    for (const limit of [1, 2]) {
      const { cursor } = await backend.list({ limit }, at(0))
      const page = await backend.list({ limit: 9, owner: 'alice', cursor: cursor ?? '' }, at(0))
      expect(page.records.map((one) => one.id)).toEqual(limit === 1 ? ['s_1'] : [])
    }
  })

  it('keeps the sessions of an owner together when the newest and the oldest of them go', async () => {
    const backend = await opened()
    for (const id of ['s_0', 's_1', 's_2', 's_3']) await backend.create(record(id, { owner: 'alice' }), at(0))
    await backend.delete('s_3', undefined, at(0))
    await backend.delete('s_0', undefined, at(0))
    await backend.create(record('s_4', { owner: 'alice' }), at(0))
    expect(await idsOf(backend, { limit: 1, owner: 'alice' })).toEqual(['s_1', 's_2', 's_4'])
    for (const id of ['s_4', 's_1', 's_2']) await backend.delete(id, undefined, at(0))
    await backend.create(record('s_5', { owner: 'alice' }), at(0))
    expect(await idsOf(backend, { limit: 9, owner: 'alice' })).toEqual(['s_5'])
  })

  it('leaves out expired sessions that no sweep has seen yet', async () => {
    const backend = await opened()
    for (const [index, id] of ['s_0', 's_1', 's_2'].entries())
      await backend.create(record(id, { owner: 'alice', ttlMs: 10 + index }), at(0))
    expect(await idsOf(backend, { limit: 1 }, 11)).toEqual(['s_2'])
    expect(await idsOf(backend, { limit: 1, owner: 'alice' }, 10)).toEqual(['s_1', 's_2'])
  })

  it('ends a page before 4 MiB of data, and not at all for headers', async () => {
    const backend = await opened()
    for (let index = 0; index < 6; index += 1) await backend.create(record(`s_${index}`, { data: 'é'.repeat(512 * 1024) }), at(0))
    const page = await backend.list({ limit: 10 }, at(0))
    expect(page.records.map((one) => one.id)).toEqual(['s_0', 's_1', 's_2', 's_3'])
    expect(page.cursor).toBeDefined()
    const headers = await backend.list({ limit: 10, data: false }, at(0))
    expect(headers.records.map((one) => one.data)).toEqual(['', '', '', '', '', ''])
    expect(headers.cursor).toBeUndefined()
  })

  it('gives an empty page with a cursor rather than look at everything for a rare prefix', async () => {
    const backend = await opened()
    for (let index = 0; index < 25_000; index += 1) await backend.create(record(`s_${index}`), at(0))
    await backend.create(record('cart_1'), at(0))
    let pages = 1
    expect(await idsOf(backend, { limit: 10, prefix: 'cart_' }, 0, async () => (pages += 1))).toEqual(['cart_1'])
    expect(pages).toBe(3)
  })

  it.each([
    encodeCursor('memory', '-1'),
    encodeCursor('memory', 'one'),
    encodeCursor('memory', ''),
    encodeCursor('sqlite', '1'),
    'nonsense',
    '',
  ])('refuses the cursor %j', async (cursor) => {
    const backend = await opened()
    await expect(backend.list({ limit: 1, cursor }, at(0))).rejects.toThrow(TypeError)
  })
})
