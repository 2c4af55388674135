import { expect, it } from 'vitest'
import * as backendEntry from '../src/backend.ts'
import * as folderLockEntry from '../src/folder-lock.ts'
import * as entry from '../src/index.ts'

it('the entry of applications exports exactly this', () => {
  expect(Object.keys(entry).toSorted()).toEqual([
    'SessionError',
    'getCreatedAt',
    'getMetadata',
    'getSessionId',
    'newSession',
    'openSessions',
    'setMetadata',
    'textCodec',
  ])
})

it('the entry of backends exports exactly this', () => {
  expect(Object.keys(backendEntry).toSorted()).toEqual([
    'SessionError',
    'batcher',
    'byteLru',
    'crowd',
    'decodeCursor',
    'encodeCursor',
    'isExpired',
    'knownAt',
    'lifecycle',
    'processSignals',
    'running',
  ])
})

it('the entry of the folder lock exports exactly this', () => {
  expect(Object.keys(folderLockEntry)).toEqual(['lockFolder'])
})

it('both entries have the same error class', () => {
  expect(entry.SessionError).toBe(backendEntry.SessionError)
})

it('the objects have exactly these methods', async () => {
  const { openStore } = await import('./store.ts')
  const { sessions } = await openStore()
  expect(Object.keys(sessions)).toEqual([
    'create',
    'retrieve',
    'update',
    'updateContext',
    'delete',
    'consume',
    'setTtl',
    'touch',
    'rotate',
    'list',
    'iterate',
    'count',
    'cleanupExpired',
    'deleteByOwner',
    'restore',
    'events',
    'signals',
    'getBackend',
    'metrics',
    'health',
    'close',
  ])
  expect(sessions[Symbol.asyncDispose]).toBeTypeOf('function')
})
