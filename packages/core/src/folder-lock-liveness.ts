import type { Holder } from './folder-lock-holder.ts'
import { processState } from './folder-lock-holder.ts'
import { answers } from './folder-lock-socket.ts'

/**
 * Whether the holder of a lock lives. `unknown` counts as living: a holder is replaced only when it provably ended.
 *
 * - Another boot of the kernel: ended, unless other hosts reach the folder.
 * - The same pid namespace: it lives iff a process has its pid and its start time.
 * - Another container, or a system without `/proc`: its socket in the folder decides. The kernel closes it with the process,
 *   however that ends, and finds it by its file, across namespaces of pids and networks.
 */
export async function liveness(
  folder: string,
  holder: Holder,
  self: Holder,
  reachedByOtherHosts: boolean,
): Promise<'alive' | 'ended' | 'unknown'> {
  if (reachedByOtherHosts && (holder.bootId === null || holder.bootId !== self.bootId)) return 'unknown'
  if (holder.bootId !== self.bootId) return holder.bootId === null || self.bootId === null ? 'unknown' : 'ended'
  if (holder.pidNamespace !== self.pidNamespace) return await answers(folder, holder.socket)
  if (!exists(holder.pid)) return 'ended'
  const found = processState(holder.pid)
  if (found === undefined || holder.processStart === null) return await answers(folder, holder.socket)
  return found.ended || found.start !== holder.processStart ? 'ended' : 'alive'
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: there is one, of another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
