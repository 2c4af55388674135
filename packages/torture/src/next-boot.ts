import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Makes the locks in a folder those of an earlier boot, as they are after a real power cut. Here the processes that held them may live on:
 * a cut can bring back the lock of this very process, which it had released.
 */
export async function beginNextBoot(folder: string): Promise<void> {
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim()
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((one) => one.startsWith('mcp-session.lock') && !one.endsWith('.sock'))) {
    const file = await open(join(folder, name), 'r+')
    try {
      const text = await file.readFile('latin1')
      await file.write(text.replace(bootId, '0'.repeat(bootId.length)), 0, 'latin1')
      await file.sync()
    } finally {
      await file.close()
    }
  }
}
