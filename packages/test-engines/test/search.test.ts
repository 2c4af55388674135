import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from '@mcp-session/test-processes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cachedFolder } from '../src/cache-folder.ts'
import { pgbouncerPrograms } from '../src/pgbouncer-programs.ts'
import { postgresPrograms } from '../src/postgres-programs.ts'
import { outputOf } from '../src/program-output.ts'
import { redisPrograms } from '../src/redis-programs.ts'
import { type Search, searchOf } from '../src/search.ts'

const main = new URL('../src/main.ts', import.meta.url)
const finders = [
  ['Redis', redisPrograms, /^Redis server v=\d/],
  ['PostgreSQL', postgresPrograms, /^postgres \(PostgreSQL\) \d/],
  ['pgbouncer', pgbouncerPrograms, /^PgBouncer \d/],
] as const

describe('the search for an engine', { timeout: 300_000 }, () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-session-search-'))
    await chmod(folder, 0o755)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const search = (change: Partial<Search>): Search => ({
    ...searchOf({}),
    env: process.env,
    cache: join(folder, 'cache'),
    say() {},
    ...change,
  })

  it.each(finders)('fetches %s once into an empty cache, announces it, and finds it there afterwards', async (_name, find, version) => {
    const said: string[] = []
    const fetching = search({ ways: ['fetched'], say: (line) => said.push(line) })
    const [one, two] = await Promise.all([find(fetching), find(fetching)])
    expect(one.version).toMatch(version)
    expect(one.source).toMatch(/^fetched .*cache/)
    expect(two.source).toBe(one.source)
    expect(said.map((line) => line.replace(/ .*/s, ''))).toEqual(['fetching', 'unpacked'])
    expect((await find(search({ ways: ['cached'] }))).source).toBe(one.source)
    expect(said.length).toBe(2)
  })

  it('takes what is installed first: redis-server, or valkey-server, from PATH', async () => {
    const programs = await redisPrograms(search({ ways: ['cached', 'fetched'] }))
    const [real = ''] = programs.run('redis-server', [], '').argv
    for (const name of ['redis-server', 'valkey-server']) {
      const bin = join(folder, name)
      await mkdir(bin)
      // A Redis of Debian tells by its name which of its programs it is.
      const { env = {} } = programs.run('', [], '')
      const variables = Object.entries(env).map(([key, value]) => `${key}='${value}' `)
      await writeFile(join(bin, name), `#!/bin/sh\n${variables.join('')}exec '${real}' "$@"\n`, { mode: 0o755 })
      const found = await redisPrograms(search({ env: { PATH: bin } }))
      expect(found.source).toBe(`installed: ${join(bin, name)}`)
      expect(found.version).toMatch(/^Redis server v=/)
    }
  })

  it('takes nothing that cannot be executed', async () => {
    const bin = join(folder, 'not-executable')
    await mkdir(bin)
    await writeFile(join(bin, 'pgbouncer'), '')
    await chmod(join(bin, 'pgbouncer'), 0o644)
    await expect(pgbouncerPrograms(search({ ways: ['installed', 'docker'], env: { PATH: bin } }))).rejects.toThrow('installed: no')
  })

  it.each(finders)('says what to install when no way leads to %s, and what each said', async (name, find) => {
    const nowhere = search({ ways: ['cached', 'docker'], cache: join(folder, 'empty'), env: { DOCKER_HOST: 'tcp://127.0.0.1:1' } })
    const error: unknown = await find(nowhere).catch((reason: unknown) => reason)
    expect(String(error)).toMatch(new RegExp(`No ${name} on this machine\\. .*install.*\\n  cached: no\\n  docker: no`, 'is'))
  })

  it('uses Docker where an engine answers, and goes on where only its client is there', async () => {
    const answers = await outputOf('docker', ['info'], { timeoutMs: 5_000 }).then(
      () => true,
      () => false,
    )
    const found = await redisPrograms(search({ ways: ['docker', 'cached'] }))
    expect(found.source).toMatch(answers && process.platform === 'linux' ? /Docker/ : /^fetched/)
  })

  it('tells on its command line what it found, and fails where something is missing', async () => {
    const env = { MCP_SESSION_ENGINES_CACHE: join(folder, 'cache', '..', 'told'), REDIS_URL: 'redis://127.0.0.1:1' }
    await using good = await startNode({ script: main, ready: /^pgbouncer: PgBouncer/, readyWithinMs: 60_000 })
    expect((await good.exited).code).toBe(0)
    expect(good.stdout()).toMatch(/^cache: .*\nRedis: Redis server.*\n {2}.*\nPostgreSQL: postgres .*\n {2}.*\npgbouncer: .*\n {2}/)
    await using bad = await startNode({ script: main, env: { ...env, MCP_SESSION_ENGINES: 'cached' }, ready: /^pgbouncer: No/ })
    expect((await bad.exited).code).toBe(1)
    expect(bad.stdout()).toContain('Redis: the server of REDIS_URL')
  })

  it('refuses a way that does not exist', () => {
    expect(() => searchOf({ MCP_SESSION_ENGINES: 'installed,stolen' })).toThrow(/installed, cached, docker, fetched.*not stolen/)
  })

  it('keeps the cache where it is told to, else where the engines can read it', () => {
    expect(searchOf({ MCP_SESSION_ENGINES_CACHE: '/somewhere' }).cache).toBe('/somewhere/1')
    if (process.getuid?.() === 0) expect(searchOf({ HOME: '/root' }).cache).toBe('/var/cache/mcp-session-test-engines/1')
    else expect(searchOf({ XDG_CACHE_HOME: '/mine' }).cache).toBe('/mine/mcp-session-test-engines/1')
  })
})

describe('cachedFolder', { timeout: 60_000 }, () => {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'mcp-session-cache-'))
  })
  afterAll(() => rm(root, { recursive: true }))

  it('is filled by one of several at once, and by nobody afterwards', async () => {
    let fills = 0
    const fill = async (folder: string) => {
      fills++
      await writeFile(join(folder, 'a'), '1')
    }
    const found = await Promise.all([1, 2, 3, 4].map(() => cachedFolder(root, 'one', fill)))
    expect(new Set(found)).toEqual(new Set([join(root, 'one')]))
    await cachedFolder(root, 'one', fill)
    expect(fills).toBe(1)
    expect(await readdir(root)).toEqual(['one'])
  })

  it('leaves nothing where filling fails, and the next may try', async () => {
    await expect(cachedFolder(root, 'two', () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
    expect((await readdir(root)).filter((name) => name.startsWith('two'))).toEqual([])
    expect(await cachedFolder(root, 'two', async () => {})).toBe(join(root, 'two'))
  })

  it('takes over the lock of a process that is gone', async () => {
    await writeFile(join(root, 'three.lock'), String(2 ** 30))
    expect(await cachedFolder(root, 'three', async () => {})).toBe(join(root, 'three'))
  })

  it('takes the folder of another that finished first', async () => {
    const found = await cachedFolder(root, 'four', async (folder) => {
      await writeFile(join(folder, 'mine'), '')
      await mkdir(join(root, 'four'))
      await symlink('theirs', join(root, 'four', 'theirs'))
    })
    expect(await readdir(found)).toEqual(['theirs'])
  })
})
