import { chmod, lstat, mkdir, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SessionError } from '@mcp-session/core/backend'
import { errorCode } from './file-errors.ts'

/** Types of file systems that are shared between hosts, as `statfs` gives them on Linux. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
  [0x0bd00bd0, 'Lustre'],
  [0x00c36400, 'Ceph'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x5346414f, 'AFS'],
  [0x01021997, '9P'],
  [0x47504653, 'GPFS'],
])

/** Makes the folder private to this user, if it makes it; refuses one that others own, or may write to. Gives the name of its network file system, if it is on one. */
export async function prepareFolder(
  path: string,
  allowNetwork: boolean,
  syncFolder: (folder: string) => Promise<void>,
): Promise<string | undefined> {
  if (await made(path)) await syncFolder(dirname(path))
  const found = await lstat(path)
  if (!found.isDirectory()) throw refused(path, 'it is not a folder (symbolic links are not followed): choose another path')
  const uid = process.getuid?.()
  if (uid !== undefined) {
    if (found.uid !== uid)
      throw refused(path, `it belongs to user ${found.uid}, and this process runs as ${uid}: choose a folder of its own`)
    if ((found.mode & 0o022) !== 0) throw refused(path, 'other users may write to it: take that permission away (chmod 700)')
  }
  const network = networkFileSystems.get((await statfs(path)).type)
  if (network !== undefined && !allowNetwork) {
    throw refused(path, `it is on ${network}, where locks and syncs do not hold: choose a disk of this host, or set allowNetworkFileSystem`)
  }
  return network
}

async function made(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
    // The umask may have taken more away.
    await chmod(path, 0o700)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

function refused(path: string, why: string): SessionError {
  return new SessionError('MCP_SESSION_UNAVAILABLE', `The folder ${path} cannot be used: ${why}`)
}
