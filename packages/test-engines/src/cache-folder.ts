import { chmod, mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pidIsGone } from '@mcp-session/test-processes'

/** A change in how a folder of the cache is laid out changes this number. */
const layout = '1'

/**
 * Where fetched programs and PostgreSQL's template are kept: `MCP_SESSION_ENGINES_CACHE`, else the user's cache folder. As root
 * the system's, because the engines run as another user, who may not enter root's home.
 */
export function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['MCP_SESSION_ENGINES_CACHE']
  if (given !== undefined && given !== '') return join(given, layout)
  if (process.getuid?.() === 0) return join('/var/cache/mcp-session-test-engines', layout)
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mcp-session-test-engines', layout)
}

/**
 * The folder of that name in the cache. Where it is missing, `fill` fills an empty one, which takes its name in one step when it
 * is complete. Of several processes one fills it and the others wait; if its filler dies, another takes over.
 */
export async function cachedFolder(root: string, name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(root, name)
  if (await isCached(root, name)) return folder
  await mkdir(root, { recursive: true })
  const lock = `${folder}.lock`
  while (!(await takes(lock))) {
    await pause(50)
    if (await isThere(folder)) return folder
  }
  try {
    if (await isThere(folder)) return folder
    const filled = await mkdtemp(`${folder}.`)
    try {
      // Engines run as another user than root.
      await chmod(filled, 0o755)
      await fill(filled)
      await rename(filled, folder)
    } catch (error) {
      await rm(filled, { recursive: true, force: true })
      // A lock that outlived its process may have let a second filler in: the first to finish has won.
      if (!(await isThere(folder))) throw error
    }
  } finally {
    await rm(lock, { force: true })
  }
  return folder
}

// The lock saves work; that the folder is whole is the matter of `rename`.
async function takes(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx')
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''))
  if (holder > 0 && pidIsGone(holder)) await rm(lock, { force: true })
  return false
}

/** Whether the folder of that name is in the cache. */
export function isCached(root: string, name: string): Promise<boolean> {
  return isThere(join(root, name))
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
