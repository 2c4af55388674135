import type { Major, Target } from './targets.ts'

/** What is run, and what is held against what. */
export interface Plan {
  /** Revisions of the specification that have sessions and that the suite has scenarios for. */
  readonly revisions: readonly string[]
  /** In the order in which they are run and shown. */
  readonly targets: readonly Target[]
  readonly groups: readonly Group[]
}

export interface Group {
  readonly revision: string
  readonly stock: Target
  readonly one: Target
  readonly several: readonly Target[]
  /** Checks, as `scenario:check`, that the suite can make of the stock server but not of ours. */
  readonly unjudged: readonly string[]
}

const latest = '2025-11-25'
const revisions = [latest, '2025-06-18', '2025-03-26']

/** Whether several streams work at once; where answers are JSON there are none. */
const aboutStreams = 'server-sse-multiple-streams:server-sse-streams-functional'

const stock = { v1: stockOf('v1'), v2: stockOf('v2') }
const one = { v1: ours(['v1']), v2: ours(['v2']) }
const two = { v1: ours(['v1', 'v1']), v2: ours(['v2', 'v2']), mixed: ours(['v1', 'v2']) }
const json = { v1: ours(['v1'], 'json'), v2: ours(['v2'], 'json'), mixed: ours(['v1', 'v2'], 'json') }

/**
 * Calls are answered with streams, as the SDK's own transport does it, so that every check can be compared; with JSON, which
 * ours does as well, in the newest revision only. Two nodes of different majors have to be like one of either.
 */
export const plan: Plan = {
  revisions,
  targets: [stock, one, two, json].flatMap((targets) => Object.values(targets)),
  groups: (['v1', 'v2'] as const).flatMap((sdk) => [
    ...revisions.map((revision) => ({
      revision,
      stock: stock[sdk],
      one: one[sdk],
      several: revision === latest ? [two[sdk], two.mixed] : [two.mixed],
      unjudged: [],
    })),
    { revision: latest, stock: stock[sdk], one: json[sdk], several: [json.mixed], unjudged: [aboutStreams] },
  ]),
}

function stockOf(sdk: Major): Target {
  return { name: `stock ${sdk}`, nodes: [sdk], stock: true, answers: 'streams' }
}

function ours(nodes: readonly Major[], answers: Target['answers'] = 'streams'): Target {
  return { name: `${nodes.join('+')}${answers === 'json' ? ' json' : ''}`, nodes, answers }
}
