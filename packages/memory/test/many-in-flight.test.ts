import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('a call leaves nothing behind for the slow collection, however many others are in flight', async () => {
  const flags = ['--expose-gc', '--initial-old-space-size=1000', '--import', 'tsx']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, 'test/processes/many-in-flight.ts'], {
    cwd: new URL('..', import.meta.url),
  })
  // 920 where those that wait for their deadlines are in a Set.
  expect(Number(stdout)).toBeLessThan(50)
}, 30_000)
