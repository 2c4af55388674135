import assert from 'node:assert/strict'
import type { SessionBackend } from '@mcp-session/core/backend'
import fc from 'fast-check'
import type { Case } from '../case.ts'
import type { LawId } from '../laws.ts'
import { seededRandom } from '../random.ts'
import { type RecordingClient, recordCall } from '../record-calls.ts'
import { checkRecordHistory, describeHistory, type RecordCall, type RecordOperation } from '../record-history.ts'
import type { Trial } from '../trial.ts'

const ofRecords: readonly LawId[] = [
  'atomic/one-step',
  'create/inserts-if-absent',
  'replace/compare-and-set',
  'replace/never-inserts',
  'replace/loser-gets-current',
  'touch/only-its-rev',
  'delete/is-final',
  'delete/says-what-was-there',
]

export const linearizabilityCases: readonly Case[] = [
  {
    id: 'linearizability/many-clients-of-one-node',
    law: ofRecords,
    async run(t) {
      for (let round = 0; round < 3; round += 1) check(await recorded(t, [t.backend], 8, 30))
    },
  },
  {
    id: 'linearizability/many-clients-of-two-nodes',
    law: ofRecords,
    requires: ['shared'],
    async run(t) {
      const other = await t.another()
      for (let round = 0; round < 3; round += 1) check(await recorded(t, [t.backend, other], 8, 30))
    },
  },
  {
    id: 'linearizability/processes',
    law: ofRecords,
    requires: ['shared-by-processes'],
    async run(t) {
      const processes = await Promise.all([t.secondProcess(), t.secondProcess()])
      check(await recorded(t, [t.backend, ...processes.map(({ backend }) => backend)], 9, 30))
    },
  },
  {
    id: 'linearizability/interleavings-that-shrink',
    law: ofRecords,
    async run(t) {
      // The methods of up to four clients on one id, each with how many turns of the loop it waits before.
      const step = fc.tuple(fc.constantFrom('create', 'get', 'replace', 'replace', 'touch', 'delete'), fc.nat(2))
      const programs = fc.array(fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }), { minLength: 2, maxLength: 4, size: 'max' })
      let runs = 0
      const property = fc.asyncProperty(programs, async (clients) => {
        runs += 1
        const id = `s_${runs}_${t.random.hex(8)}`
        t.history.clear()
        const histories = await Promise.all(clients.map((steps, client) => program(t, id, client, steps)))
        try {
          check(histories.flat())
        } catch (error) {
          t.history.keep()
          throw error
        }
      })
      await fc.assert(property, { seed: t.seed, numRuns: 40 })
    },
  },
]

/** Clients on two ids, each with its own idea of what is live. */
async function recorded(t: Trial, backends: readonly SessionBackend[], clients: number, calls: number): Promise<RecordOperation[]> {
  const ids = [t.record().id, t.record().id]
  t.history.clear()
  const histories = await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const backend = backends[n % backends.length] ?? t.backend
      const by = recording(t, backend, n)
      const random = seededRandom(t.random.integer(2 ** 31))
      const known = new Map<string, string>()
      const operations: RecordOperation[] = []
      for (let call = 0; call < calls; call += 1) {
        const id = random.pick(ids)
        const method = random.pick(['create', 'get', 'replace', 'replace', 'replace', 'touch', 'delete'] as const)
        operations.push(await follow(by, id, choose(method, `${n}.${call}`, known.get(id), random.integer(2) === 0), known))
      }
      return operations
    }),
  )
  return histories.flat()
}

async function program(t: Trial, id: string, client: number, steps: readonly (readonly [string, number])[]): Promise<RecordOperation[]> {
  const by = recording(t, t.backend, client)
  const known = new Map<string, string>()
  const operations: RecordOperation[] = []
  for (const [n, [method, turns]] of steps.entries()) {
    for (let turn = 0; turn < turns; turn += 1) await undefined
    operations.push(await follow(by, id, choose(method, `${client}.${n}`, known.get(id), n % 2 === 0), known))
  }
  return operations
}

function choose(method: string, rev: string, known: string | undefined, withRev: boolean): RecordCall {
  const current = known ?? 'never'
  if (method === 'create') return { method, rev }
  if (method === 'replace') return { method, rev, expectedRev: current }
  if (method === 'touch') return { method, rev: current }
  if (method === 'delete') return { method, expectedRev: withRev ? current : undefined }
  return { method: 'get' }
}

/** Makes the call, and remembers the rev that it showed: what a client does. */
async function follow(by: RecordingClient, id: string, call: RecordCall, known: Map<string, string>): Promise<RecordOperation> {
  const operation = await recordCall(by, id, call)
  const { answer } = operation
  if (answer.rev !== undefined) known.set(id, answer.rev)
  else if (answer.done && (call.method === 'create' || call.method === 'replace')) known.set(id, call.rev)
  return operation
}

function recording(t: Trial, backend: SessionBackend, client: number): RecordingClient {
  return {
    client,
    calls: t.on(backend, `client ${client}: `),
    recordOf: (id, rev, prevRev) => t.record({ id, rev, prevRev, data: rev }),
    clock: () => performance.now(),
  }
}

function check(history: readonly RecordOperation[]): void {
  const unknown = history.filter((op) => !op.known)
  assert.equal(unknown.length, 0, `${unknown.length} calls failed`)
  const violation = checkRecordHistory(history)
  if (violation !== undefined) assert.fail(`${violation.reason}:\n${describeHistory(violation.operations)}`)
}
