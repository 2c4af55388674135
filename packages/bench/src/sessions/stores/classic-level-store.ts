import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { PeerRecord } from '../record.ts'
import type { Store } from '../store.ts'
import { keyValueStore } from './key-value-store.ts'

/** The driver alone: one `get` or `put` per step, each `put` synced or not. No lifetimes. */
export async function classicLevelStore(folder: string, sync: boolean): Promise<Store> {
  const level = new ClassicLevel<string, PeerRecord>(join(folder, 'level'), { valueEncoding: 'json' })
  await level.open()
  return keyValueStore({
    get: (id) => level.get(id),
    set: (id, record) => level.put(id, record, { sync }),
    delete: (id) => level.del(id, { sync }),
    async count() {
      let count = 0
      for await (const _key of level.keys()) count += 1
      return count
    },
    close: () => level.close(),
  })
}
