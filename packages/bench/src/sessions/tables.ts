import { type Spread, spreadOf } from '../spread.ts'
import type { Contestant } from './contestant.ts'
import { compared, type Measure, readings } from './measures.ts'
import { type Op, ops } from './ops.ts'
import type { Run } from './rounds.ts'
import { type Table, tableOf } from './table.ts'

/** What was measured of some contestants, a table for each operation, and one for memory. */
export function resultTables(contestants: readonly Contestant[], runs: readonly Run[]): Table[] {
  const families = [...new Set(contestants.map(({ family }) => family))].filter((family) => family !== 'harness')
  const harness = contestants.filter(({ family }) => family === 'harness')
  return families.flatMap((family) => {
    const entered = contestants.filter((contestant) => contestant.family === family)
    const own = runs.filter(({ job }) => entered.some(({ name }) => name === job.contestant))
    const sizes = [...new Set(own.map(({ job }) => job.sessions))]
    return sizes.flatMap((sessions) => [
      ...closedTables(`${family}, ${sessions.toLocaleString('en')} sessions`, entered, own, sessions),
      // What the harness costs by itself stands beside everybody's.
      ...rateTables(`${family}, ${sessions.toLocaleString('en')} sessions`, [...harness, ...entered], runs, sessions),
      ...memoryTable(`${family}, ${sessions.toLocaleString('en')} sessions`, entered, own, sessions),
    ])
  })
}

function closedTables(title: string, entered: readonly Contestant[], runs: readonly Run[], sessions: number): Table[] {
  const loads = runs.flatMap(({ job }) => (job.load.kind === 'closed' ? [job.load] : []))
  const inFlight = [...new Set(loads.flatMap((load) => load.cells.map((cell) => cell.inFlight)))].sort((a, b) => a - b)
  const turns = [{}, { macrotask: true }] as const
  return ops.flatMap((op) => turns.flatMap((macrotask) => closedTable(op, macrotask)))

  function closedTable(op: Op, macrotask: (typeof turns)[number]): Table[] {
    const rows = inFlight.flatMap((callers) =>
      entered.flatMap((contestant) => {
        const measure = { figure: 'ops/s', op, inFlight: callers, sessions, ...macrotask } as const
        return closedRow(contestant, measure, runs)
      }),
    )
    const how = 'macrotask' in macrotask ? ', each request in a turn of its own' : ''
    return tableOf(
      `${op} (${title}${how})`,
      ['who', 'in flight', 'ops/s', 'min – max', 'p50 µs', 'p95 µs', 'p99 µs', 'ours does', 'min – max', 'cpu µs', 'by cpu'],
      rows,
    )
  }
}

type CellMeasure = Extract<Measure, { readonly op: unknown }>

function closedRow(contestant: Contestant, measure: CellMeasure, runs: readonly Run[]): string[][] {
  const speeds = readings(runs, contestant.name, measure)
  if (speeds.size === 0) return []
  const speed = spreadOf([...speeds.values()])
  const us = (figure: 'cpu µs' | 'p50 µs' | 'p95 µs' | 'p99 µs') => {
    const values = [...readings(runs, contestant.name, { ...measure, figure }).values()]
    return short(spreadOf(values).median)
  }
  const ours = contestant.beside === undefined ? undefined : besideOurs(contestant.beside, contestant.name, measure, runs)
  return [
    [
      contestant.name,
      String(measure.inFlight),
      count(speed.median),
      range(speed, count),
      us('p50 µs'),
      us('p95 µs'),
      us('p99 µs'),
      ours === undefined ? '' : `${short(ours.bySpeed.median)} ×`,
      ours === undefined ? '' : range(ours.bySpeed, short),
      us('cpu µs'),
      ours === undefined ? '' : `${short(ours.byCpu.median)} ×`,
    ],
  ]
}

/** How many times as much ours does; `undefined`: they have no round in common. */
export function besideOurs(
  own: string,
  other: string,
  measure: CellMeasure,
  runs: readonly Run[],
): { readonly bySpeed: Spread; readonly byCpu: Spread } | undefined {
  const both = (figure: 'ops/s' | 'cpu µs', compare: (ours: number, theirs: number) => number) =>
    compared(readings(runs, own, { ...measure, figure }), readings(runs, other, { ...measure, figure }), compare)
  const bySpeed = both('ops/s', (ours, theirs) => ours / theirs)
  const byCpu = both('cpu µs', (ours, theirs) => theirs / ours)
  return bySpeed.length === 0 ? undefined : { bySpeed: spreadOf(bySpeed), byCpu: spreadOf(byCpu) }
}

function rateTables(title: string, entered: readonly Contestant[], runs: readonly Run[], sessions: number): Table[] {
  const rates = [...new Set(runs.flatMap(({ job }) => (job.load.kind === 'rate' ? [job.load.perSecond] : [])))]
  return rates.flatMap((perSecond) => {
    const rows = entered.flatMap(({ name }) => {
      const measured = runs.filter(
        ({ job: { contestant, load, ...job } }) =>
          contestant === name && job.sessions === sessions && load.kind === 'rate' && load.perSecond === perSecond,
      )
      const median = (pick: (rate: NonNullable<Run['result']['rate']>) => number) =>
        short(spreadOf(measured.flatMap(({ result }) => (result.rate === undefined ? [] : [pick(result.rate)]))).median)
      if (measured.length === 0) return []
      return [
        [
          name,
          median((rate) => rate.p50Us),
          median((rate) => rate.p95Us),
          median((rate) => rate.p99Us),
          median((rate) => rate.maxUs / 1_000),
          median((rate) => rate.loopP99Ms),
          median((rate) => rate.loopMaxMs),
        ],
      ]
    })
    return tableOf(
      `mixed at ${perSecond.toLocaleString('en')} a second (${title})`,
      ['who', 'p50 µs', 'p95 µs', 'p99 µs', 'max ms', 'loop p99 ms', 'loop max ms'],
      rows,
    )
  })
}

function memoryTable(title: string, entered: readonly Contestant[], runs: readonly Run[], sessions: number): Table[] {
  const rows = entered.flatMap(({ name }) => {
    const found = runs.filter(({ job }) => job.contestant === name && job.sessions === sessions && job.load.kind !== 'opening')
    const resident = found.flatMap(({ result }) => result.residentBytesPerSession ?? [])
    const heap = found.flatMap(({ result }) => result.heapBytesPerSession ?? [])
    if (resident.length === 0 || heap.length === 0) return []
    return [[name, count(spreadOf(resident).median), range(spreadOf(resident), count), count(spreadOf(heap).median)]]
  })
  const head = ['who', 'resident bytes a session', 'min – max', 'heap and buffers, bytes a session']
  return tableOf(`memory of the process (${title})`, head, rows)
}

/** With three significant digits, and thousands as they are. */
export function short(value: number): string {
  return Math.abs(value) >= 100 ? count(value) : String(Number(value.toPrecision(3)))
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function range({ min, max }: Pick<Spread, 'min' | 'max'>, show: (value: number) => string): string {
  return `${show(min)} – ${show(max)}`
}
