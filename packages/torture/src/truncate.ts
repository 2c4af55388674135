import { cp, truncate as cut, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type SessionBackend, SessionError } from '@mcp-session/core/backend'
import { defaultTuning, fileBackendOn, nodeDisk } from '@mcp-session/file/internal'
import { diskFolder } from './disk-places.ts'
import { plantDiskBug } from './disk-plants.ts'
import { type DiskState, isSameState, readState } from './disk-states.ts'
import { diskStep, sweptId } from './disk-steps.ts'
import type { Harness, Outcome, Trial } from './harness.ts'

const ids: readonly string[] = ['s_0', 's_1', sweptId]
const steps = 24
/** Of a segment: it was synced before the segment was used. */
const headerBytes = 64

/** A log that a crash cut short, at every byte. `plant`: a bug for the harness to find, see `disk-plants.ts`. */
export function truncate(plant?: string): Harness {
  return {
    name: 'truncate',
    about: [
      `A log of ${steps} writes of every kind, one after the other, as a crash leaves it, is cut at every byte: it opens, and is as it was after`,
      'the last write that was whole. Tries are offsets.',
    ].join('\n  '),
    backends: ['file'],
    variants: ['every-byte'],
    tries: 100_000,
    run: (trial) => cutAtEach(trial, plant),
  }
}

/** All states of the store, one after each write, and the log that holds them. */
async function cutAtEach(trial: Trial, plant: string | undefined): Promise<Outcome> {
  await using folder = await diskFolder()
  const live = join(folder.path, 'live')
  const crashed = join(folder.path, 'crashed')
  const states: (readonly DiskState[])[] = [ids.map(() => null)]
  const ends: number[] = []
  const backend = fileAt(live)
  await backend.open()
  const log = async () => join(live, (await readdir(live)).find((name) => name.endsWith('.log')) ?? '')
  try {
    for (let n = 0; n < steps; n += 1) {
      const place = n % ids.length
      const before = states.at(-1) ?? []
      const step = diskStep(ids[place] ?? '', before[place] ?? null, `r${n}`, trial.random)
      await step.run(backend)
      states.push(before.map((state, other) => (other === place ? step.next : state)))
      ends.push(lastByte(await readFile(await log())))
    }
    await cp(live, crashed, { recursive: true, filter: async (path) => !(await stat(path)).isSocket() })
  } finally {
    await backend.close()
  }
  await rm(join(crashed, 'mcp-session.lock'), { force: true })
  const name = (await readdir(crashed)).find((one) => one.endsWith('.log')) ?? ''
  const bytes = await readFile(join(crashed, name))
  let tried = 0
  for (let end = lastByte(bytes); end >= headerBytes && tried < trial.tries && !trial.isOver(); end -= 1) {
    const tryAt = join(folder.path, 'cut')
    await cp(crashed, tryAt, { recursive: true })
    await writeFile(join(tryAt, name), bytes)
    await cut(join(tryAt, name), end)
    const whole = ends.filter((of) => of <= end).length
    // A frame may end in zeros, which cannot be told from the room behind it: among them it may be whole or not.
    const isOpen = end < nextFrame(bytes, ends[whole - 1] ?? headerBytes)
    await judge(trial, fileAt(tryAt, plant), end, states, isOpen ? [whole, whole - 1] : [whole])
    await rm(tryAt, { recursive: true })
    tried += 1
    if (tried % 50 === 0) trial.progress(tried)
  }
  return { tried, measured: { bytes: lastByte(bytes), writes: ends.length } }
}

async function judge(
  trial: Trial,
  backend: SessionBackend,
  end: number,
  states: readonly (readonly DiskState[])[],
  allowed: readonly number[],
): Promise<void> {
  try {
    await backend.open()
    const found = await Promise.all(ids.map((id) => readState(backend, id)))
    const is = (n: number) => (states[n] ?? []).every((state, place) => isSameState(state, found[place] ?? null))
    if (!allowed.some(is)) trial.bad(`cut at ${end}: not as after ${allowed[0]} writes, the last whole one, but ${JSON.stringify(found)}`)
  } catch (error) {
    trial.bad(`cut at ${end}: ${SessionError.is(error) ? error.message : error}`)
  } finally {
    await backend.close()
  }
}

function fileAt(path: string, plant?: string): SessionBackend {
  return fileBackendOn(plantDiskBug(plant, nodeDisk()).disk, { ...defaultTuning, allocateBytes: 65_536 }, { path, cacheBytes: 0 })
}

/** Where what follows a frame begins, zeros between them left out; behind the last one nothing does. */
function nextFrame(bytes: Buffer, from: number): number {
  const zeros = bytes.subarray(from).findIndex((byte) => byte !== 0)
  return zeros === -1 ? bytes.length : from + zeros
}

function lastByte(bytes: Buffer): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return end
}
