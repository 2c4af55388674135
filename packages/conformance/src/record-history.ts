import { isLinearizable, type Specification, type Timed } from './linearizability.ts'

/** A call on one record, as far as the compare-and-set register sees it: revs stand for contents, and each is written once. */
export interface RecordOperation extends Timed {
  readonly id: string
  readonly client: number | string
  readonly call: RecordCall
  /** What was answered; meaningless where `known` is false. */
  readonly answer: RecordAnswer
}

export type RecordCall =
  | { readonly method: 'create'; readonly rev: string }
  | { readonly method: 'get' }
  | { readonly method: 'replace'; readonly rev: string; readonly expectedRev: string }
  | { readonly method: 'touch'; readonly rev: string }
  | { readonly method: 'delete'; readonly expectedRev: string | undefined }

/** `done`: whether it wrote (of a get: whether it found). `rev`: the rev that it showed, if it showed one. */
export interface RecordAnswer {
  readonly done: boolean
  readonly rev?: string | undefined
  /** Of a touch that was not done: whether another rev was live. */
  readonly moved?: boolean
}

export interface Violation {
  readonly id: string
  readonly reason: string
  /** The calls that cannot be explained, in the order of their starts; as few as were found. */
  readonly operations: readonly RecordOperation[]
}

/** A record as a sequential object; the state is the live rev, or '' when there is none. */
const register: Specification<string, RecordOperation> = {
  initial: '',
  step(live, { call, answer, known }) {
    const after = effect(live, call)
    if (!known) return after
    return matches(live, call, answer) ? after : undefined
  },
  key: (live) => live,
}

/**
 * Checks a recorded history, id by id: first what can be told of millions of calls, then whether an order of the calls explains it.
 * `undefined`: it can be explained.
 */
export function checkRecordHistory(history: readonly RecordOperation[]): Violation | undefined {
  const byId = new Map<string, RecordOperation[]>()
  for (const op of history) {
    const ops = byId.get(op.id)
    if (ops === undefined) byId.set(op.id, [op])
    else ops.push(op)
  }
  for (const [id, ops] of byId) {
    const reason = checkQuickly(ops)
    if (reason !== undefined) return { id, ...reason }
    if (!isLinearizable(register, ops)) {
      return { id, reason: 'no order of these calls explains their answers', operations: shortest(ops) }
    }
  }
  return undefined
}

/** A history as lines of text. */
export function describeHistory(operations: readonly RecordOperation[]): string {
  const from = Math.min(...operations.map((op) => op.start))
  return operations
    .map(({ client, call, answer, start, end, known }) => {
      const { method, ...args } = call
      const span = `${(start - from).toFixed(3)}–${known ? (end - from).toFixed(3) : '?'}`
      return `  ${span} client ${client}: ${method}(${Object.values(args).join(', ')}) → ${known ? JSON.stringify(answer) : 'unknown'}`
    })
    .join('\n')
}

function effect(live: string, call: RecordCall): string {
  switch (call.method) {
    case 'create':
      return live === '' ? call.rev : live
    case 'replace':
      return live !== '' && live === call.expectedRev ? call.rev : live
    case 'delete':
      return call.expectedRev === undefined || call.expectedRev === live ? '' : live
    case 'get':
    case 'touch':
      return live
  }
}

function matches(live: string, call: RecordCall, { done, rev, moved }: RecordAnswer): boolean {
  switch (call.method) {
    case 'create':
      return done === (live === '')
    case 'get':
      return (rev ?? '') === live
    case 'replace':
      return done ? live === call.expectedRev : live !== call.expectedRev && (rev ?? '') === live
    case 'touch':
      return done ? live === call.rev : moved === true ? live !== '' && live !== call.rev : live === ''
    case 'delete':
      return done === (live !== '' && (call.expectedRev === undefined || call.expectedRev === live))
  }
}

/** Revs are written once and shown after; no rev is replaced twice; nobody sees less than what was complete before. */
function checkQuickly(ops: readonly RecordOperation[]): { reason: string; operations: RecordOperation[] } | undefined {
  const writers = new Map<string, RecordOperation>()
  const followers = new Map<string, RecordOperation>()
  for (const op of ops) {
    if (op.call.method !== 'create' && op.call.method !== 'replace') continue
    const twin = writers.get(op.call.rev)
    if (twin !== undefined) return { reason: `rev ${op.call.rev} was written twice`, operations: [twin, op] }
    if (!op.known || op.answer.done) writers.set(op.call.rev, op)
    if (op.call.method !== 'replace' || !op.known || !op.answer.done) continue
    const rival = followers.get(op.call.expectedRev)
    if (rival !== undefined) return { reason: `rev ${op.call.expectedRev} was replaced twice`, operations: [rival, op] }
    followers.set(op.call.expectedRev, op)
  }
  for (const op of ops) {
    const { rev } = op.answer
    if (!op.known || rev === undefined) continue
    const writer = writers.get(rev)
    if (writer === undefined) return { reason: `rev ${rev} was shown, and nobody wrote it`, operations: [op] }
    if (writer.start > op.end) return { reason: `rev ${rev} was shown before it was written`, operations: [op, writer] }
  }
  return checkOrder(ops, writers)
}

function checkOrder(
  ops: readonly RecordOperation[],
  writers: ReadonlyMap<string, RecordOperation>,
): { reason: string; operations: RecordOperation[] } | undefined {
  const places = placesOf(writers)
  const seen = ops.flatMap((op) => {
    const rev = shownBy(op)
    const place = rev === undefined ? undefined : places.get(rev)
    return place === undefined ? [] : [{ op, ...place }]
  })
  const ends = [...seen].sort((a, b) => a.op.end - b.op.end)
  const newest = new Map<string, (typeof seen)[number]>()
  let next = 0
  for (const observed of [...seen].sort((a, b) => a.op.start - b.op.start)) {
    for (let ended = ends[next]; ended !== undefined && ended.op.end < observed.op.start; ended = ends[next]) {
      const known = newest.get(ended.life)
      if (known === undefined || known.depth < ended.depth) newest.set(ended.life, ended)
      next += 1
    }
    const known = newest.get(observed.life)
    if (known !== undefined && known.depth > observed.depth)
      return { reason: 'an older rev was seen after a newer one', operations: [known.op, observed.op] }
  }
  return undefined
}

/** Which life of the id a rev belongs to, and how many replaces came before it there. */
function placesOf(writers: ReadonlyMap<string, RecordOperation>): Map<string, { life: string; depth: number }> {
  const places = new Map<string, { life: string; depth: number }>()
  for (const rev of writers.keys()) {
    const path: string[] = []
    let at: string | undefined = rev
    while (at !== undefined && !places.has(at)) {
      path.push(at)
      const call: RecordCall | undefined = writers.get(at)?.call
      at = call?.method === 'replace' ? call.expectedRev : undefined
    }
    let place = at === undefined ? undefined : places.get(at)
    for (const step of path.reverse()) {
      place = place === undefined ? { life: step, depth: 0 } : { life: place.life, depth: place.depth + 1 }
      places.set(step, place)
    }
  }
  return places
}

function shownBy({ call, answer, known }: RecordOperation): string | undefined {
  if (!known) return undefined
  if (answer.rev !== undefined) return answer.rev
  return answer.done && (call.method === 'create' || call.method === 'replace' || call.method === 'touch') ? call.rev : undefined
}

/** The shortest beginning that cannot be explained, without those calls that change nothing and are not needed for that. */
function shortest(ops: readonly RecordOperation[]): RecordOperation[] {
  const ends = ops.filter((op) => op.known).map((op) => op.end)
  ends.sort((a, b) => a - b)
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (isLinearizable(register, until(ops, ends[middle] ?? 0))) low = middle + 1
    else high = middle
  }
  let kept = until(ops, ends[low] ?? 0)
  for (const op of kept) {
    const changed = op.call.method !== 'get' && op.call.method !== 'touch' && (!op.known || op.answer.done)
    const without = kept.filter((other) => other !== op)
    if (!changed && without.length > 0 && !isLinearizable(register, without)) kept = without
  }
  return [...kept].sort((a, b) => a.start - b.start)
}

/** The history as it was at an instant: what had not ended then is unknown. */
function until(ops: readonly RecordOperation[], at: number): RecordOperation[] {
  return ops.filter((op) => op.start <= at).map((op) => (op.end <= at ? op : { ...op, known: false }))
}
