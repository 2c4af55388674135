import type { ReplaySession } from './replay-session.ts'

/** Something that happens in a session. `undefined`: it cannot now. */
type Move = (session: ReplaySession, random: () => number) => Promise<void> | undefined

/** As often as they stand here. */
const moves: readonly Move[] = [
  ...repeated(5, (session) => session.note()),
  ...repeated(4, (session) => (session.calls.length < 3 ? session.begin() : undefined)),
  ...repeated(
    8,
    onCall((session, call) => session.say(call)),
  ),
  ...repeated(
    3,
    onCall((session, call) => session.end(call)),
  ),
  ...repeated(
    2,
    onCall((session, call) => session.drop(call)),
  ),
  ...repeated(2, (session) => session.listen()),
  ...repeated(1, (session) => session.leave()),
  ...repeated(3, (session) => session.catchUp()),
  ...repeated(1, resumeAnywhere),
]

const fewestMoves = 3
const mostMoves = 10
/** More than one page of the log. */
const longBurst = 130
const oneInBursts = 250

/**
 * One history: moves of several sessions in a random interleaving, then a resume in each of them, at any event id that was ever
 * handed out in it. What it does follows from `random` alone.
 */
export async function playHistory(sessions: readonly ReplaySession[], random: () => number): Promise<void> {
  const count = fewestMoves + whole(random, mostMoves - fewestMoves + 1)
  for (let made = 0; made < count; made += 1) {
    const session = oneOf(sessions, random)
    await (oneOf(moves, random)(session, random) ?? session.note())
  }
  if (whole(random, oneInBursts) === 0) await burst(oneOf(sessions, random), random)
  for (const session of sessions) {
    if (session.handedOut() === 0) await session.listen()
    await resumeAnywhere(session, random)
    while (session.calls.length > 0) await session.end(whole(random, session.calls.length))
    if (whole(random, 2) === 0) await session.leave()
  }
}

async function burst(session: ReplaySession, random: () => number): Promise<void> {
  if (session.calls.length === 0) {
    for (let count = 0; count < longBurst; count += 1) await session.note()
    return
  }
  const call = whole(random, session.calls.length)
  for (let count = 0; count < longBurst; count += 1) await session.say(call)
}

function resumeAnywhere(session: ReplaySession, random: () => number): Promise<void> | undefined {
  return session.handedOut() === 0 ? undefined : session.resume(whole(random, session.handedOut()))
}

function onCall(act: (session: ReplaySession, call: number) => Promise<void>): Move {
  return (session, random) => (session.calls.length === 0 ? undefined : act(session, whole(random, session.calls.length)))
}

function repeated(times: number, move: Move): Move[] {
  return Array.from({ length: times }, () => move)
}

/** From 0 to `count` - 1. */
export function whole(random: () => number, count: number): number {
  return Math.floor(random() * count)
}

function oneOf<T>(values: readonly T[], random: () => number): T {
  const value = values[whole(random, values.length)]
  if (value === undefined) throw new RangeError('one of none')
  return value
}
