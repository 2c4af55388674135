/** A call of the system that returned. */
export interface TracedCall {
  readonly thread: string
  readonly name: string
  /** As strace prints it: arguments that are long are cut. Of a call that others came between, what stood before. */
  readonly args: string
  /** A number; -1: it failed. */
  readonly result: string
  readonly failed: boolean
  readonly injected: boolean
}

/** The calls in the order in which they returned, from a log that was written with `-f -o`. */
export function tracedCalls(log: string): readonly TracedCall[] {
  const calls: TracedCall[] = []
  const unfinished = new Map<string, string>()
  for (const line of log.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const begun = /^(\w+\(.*) <unfinished \.\.\.>$/.exec(rest)?.[1]
    if (begun !== undefined) {
      unfinished.set(thread, begun)
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1]
    const whole = resumed === undefined ? rest : `${unfinished.get(thread) ?? ''}${resumed}`
    const [, name, args = '', result = ''] = /^(\w+)\((.*)\) += (-?\d.*)$/.exec(whole) ?? []
    if (name === undefined) continue
    calls.push({
      thread,
      name,
      args,
      result: result.split(' ')[0] ?? '',
      failed: result.startsWith('-'),
      injected: result.includes('(INJECTED)'),
    })
  }
  return calls
}

/** The most calls of each kind that one thread makes: strace counts them by thread. */
export function mostByThread(calls: readonly TracedCall[]): Readonly<Record<string, number>> {
  const byThread = new Map<string, number>()
  const most: Record<string, number> = {}
  for (const { thread, name } of calls) {
    const count = (byThread.get(`${name} ${thread}`) ?? 0) + 1
    byThread.set(`${name} ${thread}`, count)
    most[name] = Math.max(most[name] ?? 0, count)
  }
  return most
}
