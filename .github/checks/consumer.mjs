import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { complaints, run, runNode } from './command.mjs'
import { root } from './workspace.mjs'

/** Installs the tarballs into an empty project, as a user would with npm, and uses them there. */
export async function createConsumer(folder, packed) {
  const specifiers = packed.flatMap(({ manifest }) =>
    Object.keys(manifest.publishConfig.exports).map((entry) => join(manifest.name, entry).replaceAll('\\', '/')),
  )
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', version: '1.0.0', private: true, type: 'module' }))
  await writeFile(join(folder, 'use.mjs'), importProgram(specifiers))
  await writeFile(join(folder, 'use.cjs'), requireProgram(specifiers))
  await writeFile(join(folder, 'conform.mjs'), conformProgram)
  await writeFile(join(folder, 'use.ts'), specifiers.map((name, index) => `export * as entry${index} from '${name}'\n`).join(''))
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))

  /** Install scripts stay off: loading a package must not need its driver's native code, opening a store does. */
  async function installProblems() {
    const args = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    return complaints(await run('npm', [...args, ...packed.map(({ tarball }) => tarball)], { cwd: folder, env: withoutNpm() }))
  }

  async function importProblems() {
    return complaints(await runNode(['use.mjs'], { cwd: folder }))
  }

  async function requireProblems() {
    return complaints(await runNode(['use.cjs'], { cwd: folder }))
  }

  /** The kit as the author of a backend runs it: from its tarball, on another tarball's backend. */
  async function conformanceProblems() {
    return complaints(await runNode(['conform.mjs'], { cwd: folder }))
  }

  /** With library checks on: a declaration that needs the types of a package that users do not get fails here. */
  async function typeProblems() {
    return complaints(await runNode([join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { cwd: folder }))
  }

  return { installProblems, importProblems, requireProblems, conformanceProblems, typeProblems }
}

const compilerOptions = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
}

const conformProgram = `import assert from 'node:assert/strict'
import { runConformance } from '@mcp-session/conformance'
import { memoryBackend } from '@mcp-session/memory'
const { ok, passed, failed } = await runConformance({ open: () => ({ backend: memoryBackend() }) })
assert.ok(ok && passed.length > 0, failed.map((failure) => JSON.stringify(failure)).join('\\n'))
`

function importProgram(specifiers) {
  const imports = specifiers.map((name) => `assert.ok(Object.keys(await import('${name}')).length > 0, '${name} exports nothing')`)
  return `import assert from 'node:assert/strict'\n${imports.join('\n')}\n${roundTrip('await import')}`
}

function requireProgram(specifiers) {
  const requires = specifiers.map((name) => `assert.ok(Object.keys(require('${name}')).length > 0, '${name} exports nothing')`)
  return `const assert = require('node:assert/strict')\n${requires.join('\n')}\nasync function main() {\n${roundTrip('require')}}\nmain()\n`
}

/** The smallest use of the packages together: a session is created, changed and read. */
function roundTrip(load) {
  return `const { openSessions, SessionError } = ${load}('@mcp-session/core')
const { memoryBackend } = ${load}('@mcp-session/memory')
const sessions = await openSessions({ backend: memoryBackend() })
const { id } = await sessions.create({ counter: 0 })
await sessions.update(id, (metadata) => ({ ...metadata, counter: metadata.counter + 1 }))
assert.deepEqual((await sessions.retrieve(id)).metadata, { counter: 1 })
await sessions.close()
await assert.rejects(sessions.retrieve(id), (error) => SessionError.is(error, 'MCP_SESSION_CLOSED'))
`
}

/** The settings of the pnpm that runs this script are not npm's. */
function withoutNpm() {
  return Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^p?npm_/i.test(name))
      .map((name) => [name, undefined]),
  )
}
