// The parent of every process of one engine. It holds an IPC channel to the owner; when that ends, be it by SIGKILL, the
// keeper kills what it started and removes the folder. Plain JavaScript: it starts in 40 ms, with the TypeScript loader in 300.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { continueTree, killTree, pidsOfTree, signalOne, stopTree } from './process-tree.mjs'

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'mcp-session-engine-'))
/** @type {Map<number, import('node:child_process').ChildProcess>} */
const children = new Map()
/** Of those that run in a container, its name. @type {Map<number, string>} */
const containers = new Map()
let started = 0
let ending = false

/**
 * @typedef {{ argv: string[], env?: Record<string, string>, uid?: number, gid?: number, image?: string, log: string }} Launch
 * @type {Record<string, (argument: any) => unknown>}
 */
const operations = {
  /** The folder that goes when this process does. */
  folder: () => folder,
  /** Gives the folder to the user that the engine runs as. */
  own: ({ uid, gid }) => chownSync(folder, uid, gid),
  subfolder: (name) => {
    mkdirSync(join(folder, name))
    return join(folder, name)
  },
  /** Starts a process and answers its pid. */
  spawn: async (launch) => (await start(launch)).pid,
  /** Runs a process to its end and answers its exit code. */
  async run(launch) {
    const child = await start(launch)
    return await new Promise((resolve) => child.once('close', (code) => resolve(code)))
  },
  /** A process and all that descend from it. */
  pids: (pid) => (children.has(pid) ? pidsOfTree(rootOf(pid)) : []),
  pause: (pid) => children.has(pid) && stopTree(rootOf(pid)),
  resume: (pid) => children.has(pid) && continueTree(rootOf(pid)),
  kill,
  /** Asks one process to end and kills what is left of its tree when the bound is over. */
  async stop({ pid, signal, withinMs }) {
    if (!children.has(pid)) return
    continueTree(rootOf(pid))
    signalOne(rootOf(pid), signal)
    const until = performance.now() + withinMs
    while (children.has(pid) && performance.now() < until) await pause(5)
    await kill(pid)
  },
}

process.on('message', async ({ n, operation, argument }) => {
  if (operation === 'end') return leave(0)
  try {
    tell({ n, value: await operations[operation]?.(argument) })
  } catch (error) {
    tell({ n, error: String(error instanceof Error ? error.message : error) })
  }
})
for (const event of ['disconnect', 'SIGTERM', 'SIGINT', 'SIGHUP']) process.on(event, () => leave(0))
process.on('uncaughtException', () => leave(1))
// The owner may have died while this was loading.
if (!process.connected) await leave(0)

/** @param {number} code */
async function leave(code) {
  try {
    await end()
  } finally {
    process.exit(code)
  }
}

/** @param {Launch} launch */
async function start(launch) {
  if (ending) throw new Error('The keeper is ending.')
  const { argv, env, uid, gid, log, image } = launch
  const container = image === undefined ? undefined : `mcp-session-engine-${process.pid}-${started++}`
  const [file = '', ...args] = container === undefined ? argv : inContainer(launch, container)
  const output = openSync(log, 'a')
  try {
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
      ...(uid === undefined || container !== undefined ? {} : { uid, gid }),
    })
    const { pid } = child
    if (pid === undefined) {
      const [error] = await once(child, 'error')
      throw new Error(`${file} does not start: ${error.message}`)
    }
    children.set(pid, child)
    if (container !== undefined) containers.set(pid, container)
    child.once('exit', (code, signal) => {
      children.delete(pid)
      tell({ exited: pid, code, signal })
    })
    return child
  } finally {
    closeSync(output)
  }
}

// Until they are reaped too: a pid that is a zombie still exists.
/** @param {number} pid */
async function kill(pid) {
  if (children.has(pid)) await killTree(rootOf(pid))
  while (children.has(pid)) await pause(2)
}

// With the host's network, processes and paths, a program in a container is used like any other.
/**
 * @param {Launch} launch
 * @param {string} name
 */
function inContainer({ argv: [program = '', ...args], uid, gid, image = '' }, name) {
  const user = `${uid ?? process.getuid?.()}:${gid ?? process.getgid?.()}`
  const places = ['-v', `${folder}:${folder}`, '-v', '/etc/passwd:/etc/passwd:ro', '-w', folder]
  const sharing = ['--network', 'host', '--pid', 'host', '--user', user, ...places]
  return ['docker', 'run', '--rm', '--name', name, ...sharing, '--entrypoint', program, image, ...args]
}

// The child itself, or what Docker started on its behalf.
/** @param {number} pid */
function rootOf(pid) {
  const container = containers.get(pid)
  if (container === undefined) return pid
  const { stdout } = spawnSync('docker', ['inspect', '-f', '{{.State.Pid}}', container], { encoding: 'utf8' })
  return Number(stdout) || pid
}

async function end() {
  ending = true
  await Promise.all([...children.keys()].map(kill))
  for (const container of containers.values()) spawnSync('docker', ['rm', '--force', container], { stdio: 'ignore' })
  for (const id of sharedMemoryIds()) spawnSync('ipcrm', ['-m', id], { stdio: 'ignore' })
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 })
}

// A PostgreSQL that was killed leaves a System V segment; line 7 of postmaster.pid names it.
function sharedMemoryIds() {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name, 'postmaster.pid')
    const [, id] = /^(?:.*\n){6}\s*\d+\s+(\d+)\s*\n/.exec(existsSync(path) ? readFileSync(path, 'utf8') : '') ?? []
    return id === undefined ? [] : [id]
  })
}

/** @param {object} message */
function tell(message) {
  if (process.connected) process.send?.(message, () => {})
}
