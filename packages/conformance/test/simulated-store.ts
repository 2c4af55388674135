import { type Random, seededRandom } from '../src/random.ts'
import type { RecordAnswer, RecordCall, RecordOperation } from '../src/record-history.ts'

export type Flaw = 'none' | 'stale-read' | 'resurrect' | 'check-then-set' | 'lost-write' | 'two-winners'

interface Step {
  readonly op: { id: string; client: number; call: RecordCall; start: number; end: number; known: boolean; answer: RecordAnswer }
  /** When the call looks, and when it writes: one instant, unless the store is flawed. */
  readonly looksAt: number
  readonly writesAt: number
}

/** A history of 5 clients on one id of a store in simulated time; each call takes effect at one instant between its ends. */
export function simulatedHistory(seed: number, flaw: Flaw): RecordOperation[] {
  const random = seededRandom(seed)
  let live = ''
  let before = ''
  const written: string[] = ['never']
  const steps = schedule(random, flaw)
  const moments = steps.flatMap((step) => [
    { at: step.looksAt, run: () => look(step) },
    ...(step.writesAt > step.looksAt ? [{ at: step.writesAt, run: () => write(step) }] : []),
  ])
  moments.sort((a, b) => a.at - b.at)
  for (const moment of moments) moment.run()
  return steps.map(({ op }) => op)

  function look(step: Step): void {
    const { op } = step
    op.call = refer(op.call, random, live, written)
    const seen = flaw === 'stale-read' && op.call.method === 'get' && random.integer(4) === 0 ? before : live
    op.answer = answerTo(op.call, seen, flaw === 'two-winners' ? before : undefined)
    if (step.writesAt === step.looksAt) write(step)
  }

  function write({ op }: Step): void {
    // A call whose reply is lost may have been lost itself.
    if (!op.answer.done || (!op.known && random.integer(2) === 0)) return
    if (flaw === 'lost-write' && op.call.method === 'replace' && random.integer(5) === 0) return
    if (op.call.method === 'create' || op.call.method === 'replace') {
      written.push(op.call.rev)
      set(op.call.rev)
    } else if (op.call.method === 'delete') set('')
    else if (flaw === 'resurrect' && op.call.method === 'touch') set(op.call.rev)
  }

  function set(rev: string): void {
    before = live
    live = rev
  }
}

function schedule(random: Random, flaw: Flaw): Step[] {
  const steps: Step[] = []
  for (let client = 0; client < 5; client += 1) {
    let at = random.integer(10)
    for (let n = 0; n < 8; n += 1) {
      const start = at
      const looksAt = start + 1 + random.integer(20)
      const method = random.pick(['create', 'get', 'get', 'replace', 'replace', 'replace', 'touch', 'delete'] as const)
      const apart = (flaw === 'check-then-set' && method === 'replace') || (flaw === 'resurrect' && method === 'touch')
      const writesAt = apart ? looksAt + 1 + random.integer(20) : looksAt
      const end = writesAt + 1 + random.integer(20)
      const known = random.integer(20) !== 0
      const call = callOf(method, `${client}.${n}`)
      steps.push({ op: { id: 's_x', client, call, start, end, known, answer: { done: false } }, looksAt, writesAt })
      at = end + random.integer(10)
    }
  }
  return steps
}

function callOf(method: RecordCall['method'], rev: string): RecordCall {
  switch (method) {
    case 'create':
      return { method, rev }
    case 'get':
      return { method }
    case 'replace':
      return { method, rev, expectedRev: '' }
    case 'touch':
      return { method, rev: '' }
    case 'delete':
      return { method, expectedRev: undefined }
  }
}

/** A client mostly knows the live rev; now and then it has an old one. */
function refer(call: RecordCall, random: Random, live: string, written: readonly string[]): RecordCall {
  const rev = live !== '' && random.integer(4) !== 0 ? live : random.pick(written.slice(-3))
  if (call.method === 'replace') return { ...call, expectedRev: rev }
  if (call.method === 'touch') return { ...call, rev }
  if (call.method === 'delete' && random.integer(2) === 0) return { ...call, expectedRev: rev }
  return call
}

function answerTo(call: RecordCall, live: string, second: string | undefined): RecordAnswer {
  const shown = live === '' ? {} : { rev: live }
  switch (call.method) {
    case 'create':
      return { done: live === '' }
    case 'get':
      return { done: live !== '', ...shown }
    case 'replace': {
      const done = live !== '' && (call.expectedRev === live || (second !== '' && call.expectedRev === second))
      return done ? { done } : { done, ...shown }
    }
    case 'touch':
      return live === call.rev && live !== '' ? { done: true } : { done: false, moved: live !== '' }
    case 'delete':
      return { done: live !== '' && (call.expectedRev === undefined || call.expectedRev === live) }
  }
}
