import { performance } from 'node:perf_hooks'
import type { Call, ReplaceResult, SessionRecord, Touch, TouchResult } from '@mcp-session/core/backend'
import { isExpired } from '@mcp-session/core/backend'
import type { DueIndex, Settled } from './due-index.ts'
import { digestOf, type Keys } from './keys.ts'
import type { Lane, Outcome } from './lane.ts'
import type { OwnerIndex } from './owner-index.ts'
import { armedField, damaged, instantText, knownRecordOf, recordOf, touchFields, valueOf } from './record-value.ts'
import type { Argument } from './request.ts'
import type { Values } from './values.ts'

/** The steps on records: each is one script on one slot; the indexes beside it lie in other slots. */
export interface Records {
  create(record: SessionRecord, call: Call): Promise<boolean>
  get(id: string, call: Call, known: SessionRecord | undefined): Promise<SessionRecord | undefined>
  replace(record: SessionRecord, expectedRev: string, call: Call): Promise<ReplaceResult>
  touch(touch: Touch, call: Call): Promise<TouchResult>
  delete(id: string, expectedRev: string | undefined, call: Call): Promise<boolean>
  deleteExpired(limit: number, call: Call): Promise<number>
}

export interface RecordsOptions {
  readonly keys: Keys
  readonly values: Values
  readonly writes: Lane
  readonly owners: OwnerIndex
  readonly dues: DueIndex
}

/** Sessions that a sweep ends at once: their replies keep this process for some 20 ms. */
const maxSwept = 200

export function records({ keys, values, writes, owners, dues }: RecordsOptions): Records {
  function step(name: string, id: string, args: readonly Argument[], call: Call): Promise<Outcome> {
    return writes.run({ of: id, name, key: keys.record(id), args: [String(call.now), ...args] }, call)
  }

  async function create(record: SessionRecord, call: Call): Promise<boolean> {
    const armed = await armedFor(record, call)
    const value = valueOf(record, armed)
    // Side by side: an entry for a record that is not there is dropped by the next sweep, and a lost one costs room for an hour.
    const noted = dues.note(record.id, record.expiresAt, call).catch(ignore)
    const [word] = sound(record.id, await step('create', record.id, [value], call))
    await noted
    return word === 'created'
  }

  async function armedFor({ owner, id, expiresAt }: SessionRecord, call: Call): Promise<string | undefined> {
    return owner === null ? undefined : owners.arm(digestOf(owner), id, expiresAt, call)
  }

  /** With `then`: an `async` function would cost every read its frame. */
  function get(id: string, call: Call, known: SessionRecord | undefined): Promise<SessionRecord | undefined> {
    return values.getUnlessKnown(keys.record(id), revOf(known), call).then((found) => {
      if (found === undefined) return undefined
      const record = typeof found === 'string' || known === undefined ? recordOf(id, String(found)) : knownRecordOf(known, found)
      return isExpired(record, call.now) ? undefined : record
    })
  }

  async function replace(record: SessionRecord, expectedRev: string, call: Call): Promise<ReplaceResult> {
    const { id, owner } = record
    let outcome = sound(id, await step('replace', id, [expectedRev, valueOf(record), owner === null ? 'unowned' : ''], call))
    if (outcome[0] === 'arm') {
      const armed = await armedFor(record, call)
      outcome = sound(id, await step('replace', id, [expectedRev, valueOf(record, armed), 'armed'], call))
    }
    const [word, value] = outcome
    if (word === 'lost') return { replaced: false, current: recordOf(id, String(value)) }
    if (word === 'missing') return { replaced: false, current: undefined }
    if (word === 'shortened') await dues.note(id, record.expiresAt, call).catch(ignore)
    return { replaced: true }
  }

  async function touch({ id, rev, lastAccessedAt, expiresAt }: Touch, call: Call): Promise<TouchResult> {
    const args = [rev, ...touchFields(id, rev, lastAccessedAt, expiresAt)]
    let [word, digest] = sound(id, await step('touch', id, [...args, ''], call))
    if (word === 'arm') {
      const armed = await owners.arm(String(digest), id, expiresAt, call)
      ;[word] = sound(id, await step('touch', id, [...args, armedField(String(digest), armed)], call))
    }
    return word as TouchResult
  }

  async function deleteRecord(id: string, expectedRev: string | undefined, call: Call): Promise<boolean> {
    const outcome = sound(id, await step('delete', id, [expectedRev ?? ''], call))
    dropFromOwner(id, outcome, call)
    return outcome[0] === 'deleted'
  }

  function dropFromOwner(id: string, [word, digest, armed]: Outcome, call: Call): void {
    if (word === 'deleted' && /^\d{16}$/.test(String(armed))) owners.drop(String(digest), id, String(armed), call)
  }

  /** Early entries hide nothing: they are put right, and the next ones are looked at. */
  async function deleteExpired(limit: number, call: Call): Promise<number> {
    for (;;) {
      const portion = Math.min(limit, maxSwept)
      const found = await dues.find(portion, call)
      const outcomes = await Promise.all(found.map(({ id }) => expire(id, call)))
      const deleted = outcomes.filter(([word]) => word === 'deleted').length
      const settled: Settled[] = found.map(({ id, at }, n) => ({ id, at, next: nextOf(outcomes[n]) }))
      await dues.settle(settled, call)
      if (deleted > 0 || found.length < portion || performance.now() >= call.deadlineAt) return deleted
    }
  }

  async function expire(id: string, call: Call): Promise<Outcome> {
    const outcome = await step('expire', id, [], call)
    dropFromOwner(id, outcome, call)
    return outcome
  }

  return { create, get, replace, touch, delete: deleteRecord, deleteExpired }
}

/** A rev has no spaces: where several travel together they stand between them. */
function revOf(known: SessionRecord | undefined): string {
  return known === undefined || known.rev.includes(' ') ? '' : known.rev
}

function sound(id: string, outcome: Outcome): Outcome {
  if (outcome[0] === 'damaged') throw damaged(id)
  return outcome
}

/** Where a live session's entry belongs; "never" belongs nowhere. */
function nextOf(outcome: Outcome | undefined): string | undefined {
  const expiresAt = outcome?.[0] === 'live' ? String(outcome[1]) : undefined
  return expiresAt === undefined || expiresAt === instantText(Number.POSITIVE_INFINITY) ? undefined : expiresAt
}

/** An entry of the index of expiries that is missing costs room for an hour. */
function ignore(): void {}
