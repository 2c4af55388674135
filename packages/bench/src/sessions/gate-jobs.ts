import type { Gate } from './gates.ts'
import type { Job, Load } from './job.ts'
import { type Measure, withInFlight } from './measures.ts'
import { type Cell, ops } from './ops.ts'

export type JobSettings = Pick<Job, 'seconds' | 'warmUpSeconds' | 'seed'>

/** What must be measured to judge the gates. */
export function jobsForGates(gates: readonly Gate[], known: readonly string[], settings: JobSettings): Job[] {
  const wanted = gates.flatMap(({ who, measure, beside }) => {
    // Without one of both there is nothing to compare.
    if (!known.includes(who) || (beside !== undefined && !known.includes(beside.who))) return []
    const theirs = beside === undefined ? [] : [{ who: beside.who, measure: withInFlight(measure, beside.inFlight) }]
    return [{ who, measure }, ...theirs]
  })
  return jobsForMeasures(wanted, settings)
}

/** One job for all that one process can measure. */
export function jobsForMeasures(wanted: readonly { readonly who: string; readonly measure: Measure }[], settings: JobSettings): Job[] {
  const jobs = new Map<string, Job>()
  for (const { who, measure } of wanted) add(jobs, who, measure, settings)
  return [...jobs.values()]
}

function add(jobs: Map<string, Job>, contestant: string, measure: Measure, settings: JobSettings): void {
  const load = loadOf(measure)
  const size = 'op' in measure && measure.recordBytes !== undefined ? { recordBytes: measure.recordBytes } : {}
  const key = JSON.stringify([contestant, measure.sessions, size, load.kind === 'closed' ? { ...load, cells: [] } : load])
  const known = jobs.get(key)
  const merged = known?.load.kind === 'closed' && load.kind === 'closed' ? { ...load, cells: union(known.load.cells, load.cells) } : load
  // Delays of the loop and of others are rare: they are looked for longer.
  const seconds = load.kind === 'closed' ? settings.seconds : 10 * settings.seconds
  jobs.set(key, { contestant, sessions: measure.sessions, ...settings, ...size, seconds, load: merged })
}

function loadOf(measure: Measure): Load {
  switch (measure.figure) {
    case 'resident bytes a session':
      return { kind: 'closed', cells: [], macrotask: false }
    case 'open ms':
    case 'bytes a dormant session':
      return { kind: 'opening' }
    case 'loop delay p99 ms':
    case 'loop delay max ms':
      return { kind: 'rate', perSecond: measure.perSecond }
    case 'cleaning ms':
    case 'cleaning loop max ms':
      return { kind: 'cleaning', expired: measure.expired, inFlight: 0 }
    case 'p99 × while cleaning':
      return { kind: 'cleaning', expired: measure.expired, inFlight: measure.inFlight }
    default:
      return { kind: 'closed', cells: [{ op: measure.op, inFlight: measure.inFlight }], macrotask: measure.macrotask ?? false }
  }
}

/** Each cell once, in the order in which cells are measured. */
function union(some: readonly Cell[], more: readonly Cell[]): Cell[] {
  const all = new Map([...some, ...more].map((cell) => [`${cell.op} ${cell.inFlight}`, cell]))
  return [...all.values()].sort((a, b) => a.inFlight - b.inFlight || ops.indexOf(a.op) - ops.indexOf(b.op))
}
