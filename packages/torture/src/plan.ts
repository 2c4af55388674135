import type { Harness } from './harness.ts'

/** One run to be made: one harness, one variant, one backend. */
export interface PlannedRun {
  readonly harness: Harness
  readonly variant: string
  readonly backend: string
  /** Set where the run cannot be made: why. */
  readonly notRun?: string
}

export interface PlanRequest {
  /** A harness, or `all`. */
  readonly name: string
  readonly backend?: string | undefined
  readonly variant?: string | undefined
}

/** The runs that a command line asks for, in order. `RangeError`: it names what does not exist, and says what does. */
export function planRuns(harnesses: readonly Harness[], { name, backend, variant }: PlanRequest): readonly PlannedRun[] {
  if (name === 'all') {
    if (variant !== undefined) throw new RangeError('--variant belongs to one harness, not to all')
    const known = harnesses.flatMap(({ backends }) => backends)
    if (backend !== undefined && !known.includes(backend)) throw new RangeError(`--backend is one of ${list(known)}, not '${backend}'`)
    return harnesses.flatMap((harness) => runsOf(harness, backend, harness.variants))
  }
  const harness = harnesses.find((candidate) => candidate.name === name)
  if (harness === undefined) throw new RangeError(`no harness is called '${name}': it is one of ${list(harnesses.map(nameOf))}, or all`)
  const { backends, variants } = harness
  if (backend !== undefined && !backends.includes(backend)) {
    throw new RangeError(`--backend of ${name} is one of ${list(backends)}, not '${backend}'`)
  }
  if (variant !== undefined && !variants.includes(variant)) {
    throw new RangeError(`--variant of ${name} is one of ${list(variants)}, not '${variant}'`)
  }
  return runsOf(harness, backend, variant === undefined ? variants : [variant])
}

function runsOf(harness: Harness, backend: string | undefined, variants: readonly string[]): readonly PlannedRun[] {
  const chosen = backend ?? harness.backends[0] ?? ''
  const notRun = harness.backends.includes(chosen) ? {} : { notRun: `${harness.name} does not run on ${chosen}` }
  return variants.map((variant) => ({ harness, variant, backend: chosen, ...notRun }))
}

function nameOf({ name }: Harness): string {
  return name
}

function list(names: readonly string[]): string {
  return [...new Set(names)].join(', ')
}
