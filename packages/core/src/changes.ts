import type { Call, ReplaceResult, SessionBackend, SessionRecord } from './backend.ts'
import type { Calls } from './calls.ts'
import { SessionError } from './errors.ts'
import type { Meter } from './meter.ts'

/** Changes a record by compare-and-set until it wins, whoever else changes it from wherever. */
export interface Changes {
  /**
   * `find` gives the record to change, checked for whoever asks, or `undefined`; `next` makes of it the record to write, or
   * `same` to write nothing. `next` runs again for each race that is lost. `CONFLICT` when it still loses at the deadline.
   *
   * `known` is the record as it was seen last. The change is tried on it first, which costs one round trip where a read before
   * would make it two. Only a write that wins is believed: a loss, nothing to write and an error may all come of a record that others
   * have changed since, and then the engine is asked.
   */
  compareAndSet(id: string, call: Call, change: Change, known: SessionRecord | undefined): Promise<Changed | undefined>
}

/** What begins this close to the deadline ends as a lost race, not as a call that was not sent in time. */
const marginMs = 5

export interface Change {
  find(record: SessionRecord | undefined, call: Call): SessionRecord | undefined
  next(record: SessionRecord, call: Call): SessionRecord | 'same'
}

export interface Changed {
  readonly before: SessionRecord
  /** `same`: nothing was written. */
  readonly after: SessionRecord | 'same'
}

type Lost = Extract<ReplaceResult, { replaced: false }>

export function changes(options: { readonly backend: SessionBackend; readonly calls: Calls; readonly meter: Meter }): Changes {
  const { backend, calls, meter } = options

  function compareAndSet(id: string, call: Call, change: Change, known: SessionRecord | undefined): Promise<Changed | undefined> {
    const guessed = guess(change, call, known)
    if (guessed === undefined) return contest(id, call, change, undefined)
    return replace(guessed.after, guessed.before.rev, call).then((tried) => (tried.replaced ? guessed : contest(id, call, change, tried)))
  }

  /** `tried`: a change that has lost already, and to whom. */
  async function contest(id: string, call: Call, change: Change, tried: Lost | undefined): Promise<Changed | undefined> {
    let now = call
    let stored = tried === undefined ? await calls.read(now, () => backend.get(id, now)) : tried.current
    for (let lost = 0; ; lost += 1) {
      const before = change.find(stored, now)
      if (before === undefined) return undefined
      const after = change.next(before, now)
      if (after === 'same') return { before, after }
      endAtDeadline(call, lost)
      const result = await replace(after, before.rev, now)
      if (result.replaced) return { before, after }
      meter.add('conflicts')
      if (lost === 0) {
        stored = result.current
        continue
      }
      await calls.backOff(call, lost, 1)
      endAtDeadline(call, lost + 1)
      now = calls.again(call)
      stored = await calls.read(now, () => backend.get(id, now))
    }
  }

  function guess(
    change: Change,
    call: Call,
    known: SessionRecord | undefined,
  ): { before: SessionRecord; after: SessionRecord } | undefined {
    try {
      const before = change.find(known, call)
      const after = before && change.next(before, call)
      return before === undefined || after === undefined || after === 'same' ? undefined : { before, after }
    } catch {
      return undefined
    }
  }

  function endAtDeadline(call: Call, lost: number): void {
    if (lost > 0 && performance.now() + marginMs >= call.deadlineAt) throw conflict(backend.info.name, lost)
  }

  /** One compare-and-set, sent again when its reply got lost. */
  function replace(record: SessionRecord, expectedRev: string, call: Call): Promise<ReplaceResult> {
    return calls
      .writeAgain(call, () => backend.replace(record, expectedRev, call))
      .then(({ value, resent }) => (value.replaced || !resent ? value : settled(value, record, expectedRev)))
  }

  function settled(value: Lost, record: SessionRecord, expectedRev: string): ReplaceResult {
    // An earlier attempt may have landed. The live record tells: it is ours, or made from ours, or made from our base, which
    // fences ours for ever. Nothing else proves anything: a late attempt may still be on its way.
    const { current } = value
    if (current?.rev === record.rev || current?.prevRev === record.rev) return { replaced: true }
    if (current?.prevRev === expectedRev) return value
    throw new SessionError('MCP_SESSION_UNAVAILABLE', `The reply of ${backend.info.name} to a write got lost; it may have been written`, {
      retryable: true,
      outcome: 'unknown',
    })
  }

  return { compareAndSet }
}

function conflict(name: string, lost: number): SessionError {
  return new SessionError(
    'MCP_SESSION_CONFLICT',
    `The session on ${name} was changed by others ${lost} times before this change; try again`,
    {
      retryable: true,
    },
  )
}
