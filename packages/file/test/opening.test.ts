import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startNode } from '@mcp-session/test-processes'
import { expect, it, onTestFinished } from 'vitest'
import { fileBackend } from '../src/index.ts'
import { call, epoch, failed, newPath, newRecord, opened } from './fixtures.ts'

it('makes its folder and files private to the user', async () => {
  const path = newPath()
  const backend = await opened({ path })
  await backend.create(newRecord(), call())
  expect(statSync(path).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(path)) {
    if (!name.endsWith('.sock')) expect([name, statSync(join(path, name)).mode & 0o777]).toEqual([name, 0o600])
  }
})

it('refuses a folder that others may write to, a symbolic link, a file, and a path without a parent', async () => {
  const open = newPath()
  mkdirSync(open)
  chmodSync(open, 0o777)
  expect((await failed(fileBackend({ path: open }).open(), 'MCP_SESSION_UNAVAILABLE')).message).toContain('chmod 700')
  const link = newPath()
  symlinkSync(dirname(link), link)
  await failed(fileBackend({ path: link }).open(), 'MCP_SESSION_UNAVAILABLE')
  const file = newPath()
  writeFileSync(file, '')
  await failed(fileBackend({ path: file }).open(), 'MCP_SESSION_UNAVAILABLE')
  await failed(fileBackend({ path: join(newPath(), 'deep') }).open(), 'MCP_SESSION_UNAVAILABLE')
})

it('refuses a symbolic link and a folder in the place of a segment, and leaves them', async () => {
  for (const put of [(path: string) => symlinkSync('/etc/hostname', path), (path: string) => mkdirSync(path)]) {
    const path = newPath()
    const first = fileBackend({ path })
    await first.open()
    await first.create(newRecord(), call())
    await first.close()
    const { formatManifest, parseManifest } = await import('../src/manifest.ts')
    const found = parseManifest(readFileSync(join(path, 'manifest')))
    if (typeof found === 'string') throw new Error(found)
    const segments = [{ number: 7, end: 100, skips: [] }, ...found.manifest.segments]
    writeFileSync(join(path, 'manifest'), formatManifest({ secret: found.manifest.secret, segments }))
    put(join(path, '00000007.log'))
    expect((await failed(fileBackend({ path }).open(), 'MCP_SESSION_CORRUPT')).message).toContain('00000007.log is damaged at offset 0')
    expect(readdirSync(path)).toContain('00000007.log')
  }
})

it('refuses a second opener with LOCKED and the pid, and lets it in once the first has closed', async () => {
  const path = newPath()
  const first = fileBackend({ path })
  await first.open()
  const second = fileBackend({ path })
  expect((await failed(second.open(), 'MCP_SESSION_LOCKED')).message).toContain(String(process.pid))
  await first.close()
  await second.open()
  await second.close()
})

it('a killed process loses nothing acknowledged, and the next opens at once', { timeout: 60_000 }, async () => {
  const path = newPath()
  const writer = await startNode({ script: new URL('./writer.ts', import.meta.url), args: [path], ready: /^acknowledged 200$/ })
  onTestFinished(() => writer[Symbol.asyncDispose]())
  expect((await failed(fileBackend({ path }).open(), 'MCP_SESSION_LOCKED')).message).toContain(String(writer.pid))
  await writer.kill('SIGKILL')
  const acknowledged = [...writer.stdout().matchAll(/^acknowledged (\d+)$/gm)].map((match) => Number(match[1]))
  const backend = await opened({ path })
  for (const n of acknowledged) expect(await backend.get(`s_${n}`, call(epoch))).toMatchObject({ data: `{"n":${n}}` })
  expect(acknowledged.length).toBeGreaterThan(150)
})

it('checks its options before it touches anything', () => {
  const wrong: readonly (readonly [unknown, ErrorConstructor | RangeErrorConstructor])[] = [
    [undefined, TypeError],
    [{}, TypeError],
    [{ path: 5 }, TypeError],
    [{ path: '' }, RangeError],
    [{ path: 'a\0b' }, RangeError],
    [{ path: 'x', durable: 'yes' }, TypeError],
    [{ path: 'x', damage: 'ignore' }, RangeError],
    [{ path: 'x', cacheBytes: '5' }, TypeError],
    [{ path: 'x', cacheBytes: -1 }, RangeError],
    [{ path: 'x', allowNetworkFileSystem: 1 }, TypeError],
    [{ path: 'x', onOpen: {} }, TypeError],
  ]
  for (const [options, error] of wrong)
    expect(() => Reflect.apply(fileBackend, undefined, [options]), JSON.stringify(options)).toThrow(error)
})

it('says what its mode guarantees', async () => {
  const strict = await opened({ path: newPath() })
  expect(strict.info).toEqual({ name: 'file', contract: 1, sharing: 'process', durability: 'host', expiry: 'swept' })
  const relaxed = await opened({ path: newPath(), durable: false })
  expect(relaxed.info.durability).toBe('engine')
  expect((await relaxed.health(call())).warnings).toMatchObject([{ code: 'file-relaxed', message: expect.stringContaining('200 ms') }])
})
