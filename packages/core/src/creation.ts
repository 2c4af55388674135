import { checkDurationMs, checkWholeNumber } from './arguments.ts'
import type { Call, SessionRecord } from './backend.ts'
import { isUnknown } from './calls.ts'
import { SessionError } from './errors.ts'
import { expiryOf, lifetimeFrom } from './expiry.ts'
import { isIdOfKind } from './ids.ts'
import { checkOwner, givenOwner } from './owner.ts'
import type { AccessSignal, CreateOptions, Session } from './sessions.ts'
import type { RecordHeader } from './snapshots.ts'
import type { StoreParts } from './store-parts.ts'

/** New records: created, restored, or standing in for a rotated one. */
export interface Creation<M> {
  create(metadata: unknown, options: CreateOptions): Promise<Session<M>>
  restore(session: Session<M>, options: AccessSignal): Promise<Session<M>>
  /** Inserts what `make` builds for a minted id; mints another while the reply gets lost. */
  insertMinted(call: Call, make: (id: string) => SessionRecord): Promise<SessionRecord>
}

export function creation<M>(parts: StoreParts<M>): Creation<M> {
  const { options, backend, calls, meter, snapshots, mintId, mintRev, inBackground } = parts

  async function create(metadata: unknown, given: CreateOptions): Promise<Session<M>> {
    const ttlMs = given.ttlMs === undefined ? options.ttlMs : checkDurationMs(given.ttlMs, 'ttlMs')
    const lifetimeMs = given.maxLifetimeMs === undefined ? options.maxLifetimeMs : checkDurationMs(given.maxLifetimeMs, 'maxLifetimeMs')
    const owner = givenOwner(given)?.owner ?? null
    const id = given.id === undefined ? undefined : checkId(given.id)
    const call = calls.begin(given.signal)
    const lifetime = lifetimeFrom(call.now, ttlMs, lifetimeMs)
    const make = (newId: string) => build({ id: newId, rev: mintRev(), prevRev: null, owner, ...lifetime }, metadata, given.context)
    const record = id === undefined ? await insertMinted(call, make) : await insertNamed(call, make(id))
    meter.add('created')
    return snapshots.session(record)
  }

  async function restore(session: Session<M>, { signal }: AccessSignal): Promise<Session<M>> {
    const { lastAccessedAt, ttlMs, mustEndAt } = session
    const header: RecordHeader = {
      id: checkId(session.id),
      rev: mintRev(),
      prevRev: null,
      owner: checkOwner(session.owner),
      createdAt: checkWholeNumber(session.createdAt, 'session.createdAt', 0),
      lastAccessedAt: Math.max(checkWholeNumber(lastAccessedAt, 'session.lastAccessedAt', 0), session.createdAt),
      ttlMs: checkDurationMs(ttlMs, 'session.ttlMs'),
      mustEndAt: checkDurationMs(mustEndAt, 'session.mustEndAt'),
      expiresAt: expiryOf(Math.max(lastAccessedAt, session.createdAt), ttlMs, mustEndAt),
    }
    const call = calls.begin(signal)
    const record = await insertNamed(call, build(header, session.metadata, session.context))
    meter.add('created')
    return snapshots.session(record)
  }

  function build(header: RecordHeader, metadata: unknown, context: unknown): SessionRecord {
    return snapshots.record(header, snapshots.texts(metadata, context, header))
  }

  /** The first attempt may still land after the session was deleted, and bring it back: so that is for the caller to judge. */
  async function insertNamed(call: Call, record: SessionRecord): Promise<SessionRecord> {
    if (await calls.write(call, () => backend.create(record, call))) return record
    throw taken(record.id, backend.info.name)
  }

  async function insertMinted(call: Call, make: (id: string) => SessionRecord): Promise<SessionRecord> {
    const abandoned: SessionRecord[] = []
    let unknown: unknown
    for (;;) {
      const record = make(mintId())
      try {
        const inserted = await insertNamed(call, record)
        for (const ghost of abandoned) inBackground(calls.write(call, () => backend.delete(ghost.id, ghost.rev, call)))
        return inserted
      } catch (error) {
        if (call.signal?.aborted) throw error
        // An id that nobody has seen can be left behind; one whose fate is unknown must not be tried again.
        const isLost = isUnknown(error) && error.retryable
        if (isLost) unknown = error
        if (!isLost || performance.now() >= call.deadlineAt) throw unknown ?? error
        abandoned.push(record)
        meter.add('retries')
        await calls.backOff(call, abandoned.length)
      }
    }
  }

  function checkId(id: unknown): string {
    if (isIdOfKind(options.kind, id)) return id
    throw new RangeError(`id must be "${options.kind}_" and visible ASCII (0x21–0x7E), at most 255 characters in all`)
  }

  return { create, restore, insertMinted }
}

function taken(id: string, name: string): SessionError {
  return new SessionError(
    'MCP_SESSION_CONFLICT',
    `A live session …${id.slice(-4)} exists on ${name} already: update it, or delete it first`,
  )
}
