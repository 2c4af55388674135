import type { SessionBackend } from '@mcp-session/core/backend'
import type { DiskLedger } from './disk-ledger.ts'

/** Opens a store after a blow and tells what in it is not as the ledger says, or that it does not open; then closes it. */
export async function judgeReopened(backend: SessionBackend, ledger: DiskLedger, bad: (what: string) => void): Promise<void> {
  try {
    await backend.open()
    for (const what of await ledger.judge(backend)) bad(what)
  } catch (error) {
    bad(`the store does not open: ${error}`)
  } finally {
    await backend.close()
  }
}
