import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { complaints, run, runNode, runPnpm } from './command.mjs'

const require = createRequire(import.meta.url)

/** Builds from nothing: neither an earlier `dist` nor a task cache can stand in for sources that do not build. */
export async function buildProblems({ path }) {
  rmSync(join(path, 'dist'), { recursive: true, force: true })
  return complaints(await runPnpm(['run', 'build'], { cwd: path }))
}

/** Packs a package as it would be published. The path of the tarball, or what went wrong. */
export async function pack({ path }, folder) {
  const packed = await runPnpm(['pack', '--json', '--pack-destination', folder], { cwd: path })
  if (packed.code !== 0) return { problems: complaints(packed) }
  const { filename } = JSON.parse(packed.output.slice(packed.output.indexOf('{')))
  return { problems: [], tarball: filename }
}

/** The files in a tarball: what users need, all of it, and nothing else. */
export async function contentProblems({ manifest }, tarball) {
  const listed = await run('tar', ['-tzf', tarball])
  if (listed.code !== 0) return complaints(listed)
  const files = listed.output
    .trim()
    .split('\n')
    .map((line) => line.replace(/^package\//, ''))
  const named = Object.values(manifest.publishConfig.exports).flatMap((entry) => [entry.types, entry.default])
  const needed = ['LICENSE', 'README.md', 'package.json', ...named.map((file) => file.replace('./', ''))]
  const missing = needed.filter((file) => !files.includes(file)).map((file) => `${file} is missing`)
  const extra = files
    .filter((file) => !needed.includes(file) && file !== 'CHANGELOG.md' && !/^dist\/[^/]+\.(js|d\.ts)$/.test(file))
    .map((file) => `${file} does not belong in it`)
  return [...missing, ...extra, ...(await packedManifestProblems(manifest, tarball))]
}

/** Publint's judgement, warnings included. */
export async function publintProblems(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(await readFile(tarball)).buffer }, strict: true })
  return messages.map((message) => `${message.type}: ${formatMessage(message, pkg, { color: false })}`)
}

/** Whether TypeScript finds the types of every entry. `esm-only`: CommonJS users `require()` the same files. */
export async function typeResolutionProblems(tarball) {
  const program = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')
  return complaints(await runNode([program, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji', '--format', 'ascii']))
}

async function packedManifestProblems(manifest, tarball) {
  const text = await run('tar', ['-xzOf', tarball, 'package/package.json'])
  if (text.code !== 0) return complaints(text)
  const packed = JSON.parse(text.output)
  const problems = isDeepStrictEqual(packed.exports, manifest.publishConfig.exports) ? [] : ['package.json: exports does not point to dist']
  if (/"(workspace|catalog):/.test(text.output)) problems.push('package.json: a workspace or catalog range was not replaced')
  return problems
}
