import assert from 'node:assert/strict'
import type { Call, EventLog, NewEvent, SessionBackend, SessionRecord, SignalBus } from '@mcp-session/core/backend'
import { type Calls, callAt, callsOn } from './calls.ts'
import { type ManualClock, manualClock } from './clock.ts'
import type { Harness } from './harness.ts'
import { type History, history } from './history.ts'
import { type Random, seededRandom } from './random.ts'
import { type SecondProcess, startSecondProcess } from './second-process-handle.ts'
import { anEvent, aRecord, type RecordFields, successor } from './specimens.ts'

/** What a case is given: an open backend on an empty store of its own, a clock that stands still, and seeded choices. */
export interface Trial extends Calls {
  readonly harness: Harness
  readonly seed: number
  readonly random: Random
  readonly clock: ManualClock
  readonly history: History
  /** How long to wait for what other processes, or the engine, do by themselves. */
  readonly patienceMs: number
  /** Open, on an empty store. */
  readonly backend: SessionBackend
  readonly events: EventLog
  readonly signals: SignalBus
  /** A call at the clock's instant with time enough, or with what is given. */
  call(fields?: Partial<Call>): Call
  /** A live record under a new id. */
  record(fields?: RecordFields): SessionRecord
  /** The record that a replace of `record` writes: a new rev, and what is given. */
  successor(record: SessionRecord, fields?: RecordFields): SessionRecord
  event(fields?: Partial<NewEvent>): NewEvent
  /** A record that `create` has stored. */
  stored(fields?: RecordFields): Promise<SessionRecord>
  /** The calls of another backend object. */
  on(backend: SessionBackend, who?: string): Calls
  /** Another backend object on the same store, open. */
  another(): Promise<SessionBackend>
  /** Closes `backend`, and gives the calls of a new, open backend object on the same store. */
  reopened(): Promise<Calls>
  /** Kills the engine and waits until it is up again. */
  crash(): Promise<void>
  /** Another process with a backend of its own, open, on the same store. */
  secondProcess(): Promise<SecondProcess>
  /** Done at the end, newest first, however the case ends. */
  atEnd(step: () => Promise<unknown> | unknown): void
}

export interface OpenTrial {
  readonly trial: Trial
  /** Closes what the case has opened, and removes its store. */
  end(): Promise<void>
}

/** Opens a store for one case. */
export async function openTrial(harness: Harness, seed: number, boundMs: number): Promise<OpenTrial> {
  const clock = manualClock()
  const past = history()
  const random = seededRandom(seed)
  const { backend, place = '' } = await harness.open()
  const steps: (() => Promise<unknown> | unknown)[] = []
  if (harness.remove !== undefined) steps.push(() => harness.remove?.(place))

  async function opened(made: SessionBackend): Promise<SessionBackend> {
    await made.open()
    steps.push(() => made.close())
    return made
  }

  async function another(): Promise<SessionBackend> {
    if (harness.reopen === undefined) throw new Error('the harness has no reopen')
    return opened(await harness.reopen(place))
  }

  const calls = callsOn(await opened(backend), clock, past)
  const trial: Trial = {
    ...calls,
    harness,
    seed,
    random,
    clock,
    history: past,
    patienceMs: boundMs / 3,
    backend,
    get events() {
      return facet(backend.events, 'event log')
    },
    get signals() {
      return facet(backend.signals, 'signals')
    },
    call: (fields) => ({ ...callAt(clock.now), ...fields }),
    record: (fields) => aRecord(random, clock.now, fields),
    successor: (record, fields) => successor(random, record, fields),
    event: (fields) => anEvent(random, fields),
    async stored(fields) {
      const record = aRecord(random, clock.now, fields)
      assert.equal(await calls.create(record), true, 'create of a new id answers true')
      return record
    },
    on: (other, who = 'other.') => callsOn(other, clock, past, who),
    another,
    async reopened() {
      await backend.close()
      return callsOn(await another(), clock, past, 'reopened.')
    },
    async crash() {
      if (harness.crash === undefined) throw new Error('the harness has no crash')
      past.note('crash of the engine')
      await harness.crash(place)
    },
    async secondProcess() {
      const second = await startSecondProcess(harness, place)
      steps.push(() => second.end())
      return second
    },
    atEnd: (step) => steps.push(step),
  }

  async function end(): Promise<void> {
    const failures: unknown[] = []
    for (const step of steps.reverse()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return { trial, end }
}

function facet<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`this backend has no ${name}`)
  return value
}
