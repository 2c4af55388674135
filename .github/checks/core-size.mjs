import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './workspace.mjs'

const limitBytes = 15_000

/** The entry `.` of core as an app's bundle would hold it: with its dependency, minified and gzipped. */
export async function coreSize() {
  const { build } = esbuildOfTsup()
  const result = await build({
    entryPoints: [join(root, 'packages/core/src/index.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
    logLevel: 'silent',
  })
  const minified = result.outputFiles[0].contents
  const bytes = gzipSync(minified, { level: 9 }).length
  const note = `${bytes} of ${limitBytes} bytes gzipped, ${minified.length} minified`
  return { note, problems: bytes <= limitBytes ? [] : [note] }
}

/** The very version that builds the packages; the root names no second one. */
function esbuildOfTsup() {
  const tsup = createRequire(import.meta.url).resolve('tsup')
  return createRequire(tsup)('esbuild')
}
