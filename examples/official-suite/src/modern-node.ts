import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The suite uses `fs.globSync`: on Node 20 it does not even load. */
const oldest = 22
/** The npm package `node` brings its binary from the registry; nothing is downloaded from elsewhere. */
const pinned = 'node@22.23.3'

/** Path of a Node that the suite runs on: this one, or one that npm fetches once and keeps in its cache. */
export async function modernNode(): Promise<string> {
  if (Number(process.versions.node.split('.')[0]) >= oldest) return process.execPath
  const args = ['-y', '-p', pinned, 'node', '-p', 'process.execPath']
  const { stdout } = await promisify(execFile)('npx', args, { shell: process.platform === 'win32' })
  return stdout.trim()
}
