import { expect, it } from 'vitest'
import { type RedisBackendOptions, redisBackend } from '../src/index.ts'
import { opened, rawClient, sharedEngine } from './fixtures.ts'
import { newPrefix } from './prefixes.ts'

const engine = sharedEngine()

function making(options: unknown) {
  return () => redisBackend(options as RedisBackendOptions)
}

it('refuses prefixes that would be ambiguous, before anything is sent', () => {
  const url = 'redis://127.0.0.1:1'
  for (const prefix of ['', 'x"; drop table t; --', 'a\0', '\0', 'a b', 'a{b', 'a}', 'é', 'a'.repeat(64), 'a\n', undefined, null, 5, {}]) {
    expect(making({ url, prefix }), JSON.stringify(prefix)).toThrow(TypeError)
  }
  for (const prefix of ['a', 'a*', 'a?', 'a[b]', 'a\\', 'app:session', 'a'.repeat(63)]) expect(making({ url, prefix })).not.toThrow()
})

it('refuses options that contradict each other or are of the wrong type', () => {
  const prefix = 'p'
  const wrong = [
    undefined,
    null,
    {},
    { prefix },
    { url: 'redis://h', nodes: [{ host: 'h', port: 1 }], prefix },
    { url: 5, prefix },
    { url: 'http://h', prefix },
    { url: '', prefix },
    { nodes: [], prefix },
    { nodes: [{ host: 'h' }], prefix },
    { sentinels: [{ host: 'h', port: 1 }], prefix },
    { client: {}, prefix },
    { url: 'redis://h', prefix, minReplicas: '1' },
    { url: 'redis://h', prefix, redisOptions: 5 },
    { url: 'redis://h', prefix, redisOptions: { keyPrefix: 'x' } },
    { url: 'redis://h', prefix, redisOptions: { readOnly: true } },
  ]
  for (const options of wrong) expect(making(options), JSON.stringify(options)).toThrow(TypeError)
  for (const minReplicas of [-1, 0.5, Number.NaN]) expect(making({ url: 'redis://h', prefix, minReplicas })).toThrow(RangeError)
})

it('says nothing of a password in its errors', () => {
  expect(making({ url: 'http://user:secret@h', prefix: 'p' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  )
})

it('rejects open with a typed error where nobody answers', async () => {
  const backend = redisBackend({ url: 'redis://127.0.0.1:1', prefix: 'p' })
  await expect(backend.open()).rejects.toMatchObject({ code: 'MCP_SESSION_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } })
})

it('authenticates with the url or with redisOptions, and names a wrong password', async () => {
  const { url, port } = await engine()
  const user = `user-${port}`
  const prefix = newPrefix()
  await rawClient(url).acl('SETUSER', user, 'on', '>secret', `~${prefix}:*`, `&${prefix}:*`, '+@all')
  await opened({ url: `redis://${user}:secret@127.0.0.1:${port}`, prefix })
  await opened({ url, prefix, redisOptions: { username: user, password: 'secret' } })
  const backend = redisBackend({ url: `redis://${user}:wrong@127.0.0.1:${port}`, prefix })
  await expect(backend.open()).rejects.toMatchObject({
    code: 'MCP_SESSION_UNAVAILABLE',
    retryable: false,
    message: expect.stringContaining('password'),
  })
})
