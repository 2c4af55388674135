import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { recordOf } from '../record.ts'
import type { Store } from '../store.ts'
import { onlyCreating } from './only-creating.ts'

/** What one durable write at least costs on that disk: the record at the end of a file, and `fdatasync`. It can only create. */
export async function fdatasyncStore(folder: string): Promise<Store> {
  const file = await open(join(folder, 'appended'), 'a')
  let count = 0
  return onlyCreating({
    async create(n) {
      const id = randomUUID()
      await file.writeFile(JSON.stringify(recordOf(id, n)))
      await file.datasync()
      count += 1
      return id
    },
    async delete() {
      count -= 1
      return true
    },
    count: async () => count,
    close: () => file.close(),
  })
}
