import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readJson } from './workspace.mjs'

/** What each public package may need at run time. A new dependency is a decision: it is made here, in a diff. */
const runtimeDependencies = {
  core: ['devalue'],
  memory: ['@mcp-session/core'],
  file: ['@mcp-session/core'],
  sqlite: ['@mcp-session/core', 'better-sqlite3'],
  leveldb: ['@mcp-session/core', 'classic-level'],
  redis: ['@mcp-session/core', 'ioredis'],
  // Its declarations speak of pg's types, which do not come with pg.
  postgres: ['@mcp-session/core', '@types/pg', 'pg'],
  conformance: ['@mcp-session/core', 'fast-check'],
  http: ['@mcp-session/core'],
  cli: ['@mcp-session/core'],
}

const publicFields = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'repository',
  'type',
  'sideEffects',
  'engines',
  'files',
  'bin',
  'exports',
  'publishConfig',
  'scripts',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'devDependencies',
]

const optionalFields = ['repository', 'bin', 'dependencies', 'peerDependencies', 'peerDependenciesMeta', 'devDependencies']

const tsconfig = { extends: '../../tsconfig.base.json', include: ['src', 'test'] }

/** What every package of the workspace keeps, private ones and examples too. */
export function workspaceProblems({ folder, path, manifest }) {
  const problems = []
  const expect = (holds, problem) => {
    if (!holds) problems.push(problem)
  }
  expect(manifest.license === 'MIT', 'license is "MIT"')
  expect(manifest.type === 'module', 'type is "module"')
  expect(manifest.engines?.node === '>=20.19', 'engines.node is ">=20.19"')
  expect(typeof manifest.description === 'string' && manifest.description.length > 20, 'description says what it is, in a sentence')
  expect(manifest.scripts?.typecheck === 'tsc', 'scripts.typecheck is "tsc"')
  expect(manifest.scripts?.test === undefined || manifest.scripts.test === 'vitest run', 'scripts.test is "vitest run"')
  expect(!folder.startsWith('packages/') || existsSync(join(path, 'README.md')), 'README.md is there')
  expect(existsSync(join(path, 'tsconfig.json')), 'tsconfig.json is there')
  problems.push(...rangeProblems(manifest))
  return problems
}

/** What every package that is published keeps beyond that: one shape for all of them. */
export function publicProblems({ name, path, manifest }) {
  const problems = []
  const expect = (holds, problem) => {
    if (!holds) problems.push(problem)
  }
  expect(manifest.name === `@mcp-session/${name}`, `name is "@mcp-session/${name}"`)
  expect(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(manifest.version), 'version is a version')
  expect(manifest.sideEffects === false, 'sideEffects is false')
  expect(manifest.publishConfig?.access === 'public', 'publishConfig.access is "public"')
  expect(manifest.scripts?.test === 'vitest run', 'scripts.test is "vitest run"')
  expect(isDeepStrictEqual(manifest.files, ['dist', 'README.md', 'CHANGELOG.md']), 'files is ["dist", "README.md", "CHANGELOG.md"]')
  expect(Array.isArray(manifest.keywords) && manifest.keywords.includes('mcp'), 'keywords is a list that has "mcp"')
  expect(isDeepStrictEqual(readJson(join(path, 'tsconfig.json')), tsconfig), `tsconfig.json is ${JSON.stringify(tsconfig)}`)
  expect(existsSync(join(path, 'test')), 'test/ is there')
  problems.push(...fieldProblems(manifest), ...exportProblems(manifest, path), ...dependencyProblems(name, manifest))
  return problems
}

function fieldProblems(manifest) {
  const fields = Object.keys(manifest)
  const unknown = fields.filter((field) => !publicFields.includes(field)).map((field) => `field "${field}" is not part of the shape`)
  const missing = publicFields
    .filter((field) => !fields.includes(field) && !optionalFields.includes(field))
    .map((field) => `field "${field}" is missing`)
  const known = fields.filter((field) => publicFields.includes(field))
  const ordered = publicFields.filter((field) => known.includes(field))
  const order = isDeepStrictEqual(known, ordered) ? [] : [`the fields' order is ${ordered.join(', ')}`]
  return [...unknown, ...missing, ...order]
}

const buildFlags = '--format esm --dts --clean --target node20'

/** `exports` serves the workspace from src, `publishConfig.exports` serves users from dist; the build makes the one from the other. */
function exportProblems(manifest, path) {
  // `./internal` is for the harnesses of this repository: nobody else gets it.
  const sources = Object.entries(manifest.exports ?? {}).filter(([entry]) => entry !== './internal')
  const published = Object.fromEntries(
    sources.map(([entry, source]) => {
      const stem = String(source).replace(/^\.\/src\//, './dist/')
      return [entry, { types: stem.replace(/\.ts$/, '.d.ts'), default: stem.replace(/\.ts$/, '.js') }]
    }),
  )
  const files = sources.map(([, source]) => String(source).replace('./', ''))
  const bins = Object.values(manifest.bin ?? {}).map((file) => String(file).replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
  const sourcesBuilt = [...files, ...bins].join(' ')
  const problems = files.filter((file) => !existsSync(join(path, file))).map((file) => `exports: ${file} does not exist`)
  if (sources.length === 0) problems.push('exports is a map of entries')
  if (!isDeepStrictEqual(manifest.publishConfig?.exports, published)) problems.push(`publishConfig.exports is ${JSON.stringify(published)}`)
  if (!buildsSources(manifest.scripts?.build, sourcesBuilt)) problems.push(`scripts.build is "tsup ${sourcesBuilt} ${buildFlags}"`)
  return problems
}

/** The entries first and in order; a program that the package starts by path may follow them. */
function buildsSources(script = '', sources) {
  const more = script.slice(`tsup ${sources}`.length, -buildFlags.length).trim()
  const programs = more === '' ? [] : more.split(' ')
  return script === ['tsup', sources, ...programs, buildFlags].join(' ') && programs.every((file) => /^src\/[\w-]+\.ts$/.test(file))
}

function dependencyProblems(name, manifest) {
  const allowed = runtimeDependencies[name]
  if (allowed === undefined) return [`"${name}" has no line in runtimeDependencies of .github/checks/manifest.mjs`]
  const used = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.optionalDependencies ?? {})]
  const extra = used
    .filter((dependency) => !allowed.includes(dependency))
    .map((dependency) => `dependency "${dependency}" is not allowed here`)
  const core = allowed.includes('@mcp-session/core') && !used.includes('@mcp-session/core') ? ['it depends on "@mcp-session/core"'] : []
  const optional = manifest.peerDependenciesMeta ?? {}
  const peers = Object.keys(manifest.peerDependencies ?? {})
    .filter((peer) => optional[peer]?.optional !== true)
    .map((peer) => `peer "${peer}" is not optional`)
  return [...extra, ...core, ...peers]
}

/** One version of everything: outside packages come from the catalog, our own through the workspace. */
function rangeProblems(manifest) {
  return ['dependencies', 'devDependencies'].flatMap((group) =>
    Object.entries(manifest[group] ?? {}).flatMap(([dependency, range]) => {
      const expected = dependency.startsWith('@mcp-session/') ? 'workspace:^' : 'catalog:'
      return range === expected ? [] : [`${group}: "${dependency}" is "${expected}", not "${range}"`]
    }),
  )
}
