/** One way to maltreat real processes, and the law that must hold all the same. */
export interface Harness {
  /** What is typed after `torture`. */
  readonly name: string
  /** One line for `--help`: what is done, and what must not happen. */
  readonly about: string
  /** The backends that it runs on; the first is the default. */
  readonly backends: readonly string[]
  /** Runs of their own, such as pairs of SDK majors: each prints its own line. At least one. */
  readonly variants: readonly string[]
  /** How many tries a run makes unless `--tries` or `--budget` says otherwise. */
  readonly tries: number
  /** Runs one variant. What it starts is gone when it settles. Throws `NotRun` where the machine lacks what it needs. */
  run(trial: Trial): Promise<Outcome>
}

/** What one run is given. */
export interface Trial {
  readonly backend: string
  readonly variant: string
  /** The whole course follows from it, as far as processes and clocks allow. */
  readonly seed: number
  /** Uniform in [0, 1), from the seed. */
  random(): number
  readonly tries: number
  /** The budget is used up: finish what was begun. */
  isOver(): boolean
  /** Shown on a terminal. */
  progress(done: number, note?: string): void
  /** One violation, in a sentence that helps to find it; counted, and printed to stderr. */
  bad(what: string): void
}

export interface Outcome {
  /** What was tried, in the unit that `about` names. */
  readonly tried: number
  /** Further figures for the line, such as times in ms. */
  readonly measured?: Readonly<Record<string, number | string>>
}

/** Why a run cannot be made on this machine: counted apart, and never as passed. */
export class NotRun extends Error {}
