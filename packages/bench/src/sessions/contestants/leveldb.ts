import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'

export const leveldbContestants: readonly Contestant[] = [
  {
    name: 'leveldb',
    family: 'leveldb',
    note: 'survives power loss; atomic update',
    open: ({ folder }) => openOurs(folder, true),
  },
  {
    name: 'leveldb relaxed',
    family: 'leveldb',
    note: 'survives the process; atomic update',
    open: ({ folder }) => openOurs(folder, false),
  },
  {
    name: 'classic-level sync',
    family: 'leveldb',
    beside: 'leveldb',
    note: 'survives power loss; a get or put per step, no lifetimes; update is get + set',
    open: ({ folder }) => openTheirs(folder, true),
  },
  {
    name: 'classic-level',
    family: 'leveldb',
    beside: 'leveldb relaxed',
    note: 'survives the process; a get or put per step, no lifetimes; update is get + set',
    open: ({ folder }) => openTheirs(folder, false),
  },
]

async function openOurs(folder: string, durable: boolean) {
  const [{ leveldbBackend }, { ourStore }] = await Promise.all([import('@mcp-session/leveldb'), import('../stores/our-store.ts')])
  return ourStore(leveldbBackend({ path: join(folder, 'sessions'), durable }))
}

async function openTheirs(folder: string, sync: boolean) {
  const { classicLevelStore } = await import('../stores/classic-level-store.ts')
  return classicLevelStore(folder, sync)
}
