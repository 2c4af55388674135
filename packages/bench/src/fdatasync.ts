import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { medianOf } from './spread.ts'

/** What one durable append costs on the disk of that folder, in milliseconds: the median of a few small writes with `fdatasync`. */
export async function fdatasyncMs(folder: string, times = 50): Promise<number> {
  const path = join(folder, 'fdatasync')
  const file = await open(path, 'w')
  const page = Buffer.alloc(4_096, 'x')
  const took: number[] = []
  try {
    for (let count = 0; count < times; count += 1) {
      const began = performance.now()
      await file.write(page)
      await file.datasync()
      took.push(performance.now() - began)
    }
  } finally {
    await file.close()
    await rm(path)
  }
  return medianOf(took)
}
