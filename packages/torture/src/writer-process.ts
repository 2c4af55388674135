import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A script of this package in one file of plain JavaScript: it starts in a fifth of the time, and under strace nothing else runs. */
export interface BuiltScript extends AsyncDisposable {
  readonly path: string
}

export async function buildScript(script: URL): Promise<BuiltScript> {
  const folder = await mkdtemp(join(fileURLToPath(new URL('../node_modules', import.meta.url)), '.built-'))
  const path = join(folder, 'script.mjs')
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await build({
      entryPoints: [fileURLToPath(script)],
      outfile: path,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // What is bundled may be CommonJS, and calls it.
      banner: { js: "import { createRequire as _require } from 'node:module'; const require = _require(import.meta.url);" },
      plugins: [{ name: 'native', setup: (of) => of.onResolve({ filter: /^(better-sqlite3|classic-level)$/ }, native) }],
      logLevel: 'silent',
    })
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}

/** Drivers with native code look for it beside themselves. */
function native({ path, resolveDir }: { path: string; resolveDir: string }): { path: string; external: boolean } {
  return { path: createRequire(join(resolveDir, 'any.js')).resolve(path), external: true }
}

export interface WriterProcess {
  readonly child: ChildProcess
  /** All that it told on descriptor 3, once it has ended. */
  readonly told: Promise<string>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly stderr: string }>
  /** What it told until now. */
  heard(): string
  /** Resolves when it told so many lines more, or has ended. */
  lines(count: number): Promise<void>
}

/** Starts a command line that tells on descriptor 3. */
export function startWriter(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): WriterProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const pipe = child.stdio[3] as Readable
  const chunks: Buffer[] = []
  let lineCount = 0
  let onLine = () => {}
  pipe.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    for (const byte of chunk) if (byte === 10) lineCount += 1
    onLine()
  })
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<Awaited<WriterProcess['ended']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
  return {
    child,
    ended,
    told: ended.then(() => Buffer.concat(chunks).toString()),
    heard: () => Buffer.concat(chunks).toString(),
    async lines(count) {
      const wanted = lineCount + count
      const reached = new Promise<void>((resolve) => {
        onLine = () => lineCount >= wanted && resolve()
        onLine()
      })
      await Promise.race([reached, ended])
    },
  }
}
