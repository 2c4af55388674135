import type { SessionBackend } from '@mcp-session/core/backend'

/** The line between one node and the store, which can be cut and put back: every call fails meanwhile, as at a partition. */
export interface CutLine {
  readonly backend: SessionBackend
  cut(): void
  restore(): void
  /** The next call that fails. */
  failed(): Promise<void>
  /** The next renewal of a node's heartbeat that has gone through. */
  renewed(): Promise<void>
}

export function cutLine(whole: SessionBackend): CutLine {
  let isCut = false
  const onFailed: (() => void)[] = []
  const onRenewed: (() => void)[] = []

  function through<Given extends unknown[], Answer>(call: (...given: Given) => Promise<Answer>) {
    return async (...given: Given): Promise<Answer> => {
      if (isCut) {
        for (const told of onFailed.splice(0)) told()
        throw new Error('the line to the store is cut')
      }
      return call(...given)
    }
  }

  const { events } = whole
  if (events === undefined) throw new TypeError('the line needs a backend with an event log')
  return {
    backend: {
      ...whole,
      get info() {
        return whole.info
      },
      create: through(whole.create),
      get: through(whole.get),
      replace: through(whole.replace),
      touch: through(async (touch, call) => {
        const answer = await whole.touch(touch, call)
        if (touch.id.startsWith('!node_')) for (const told of onRenewed.splice(0)) told()
        return answer
      }),
      delete: through(whole.delete),
      events: { ...events, append: through(events.append), read: through(events.read) },
    },
    cut() {
      isCut = true
    },
    restore() {
      isCut = false
    },
    failed: () => new Promise((resolve) => void onFailed.push(resolve)),
    renewed: () => new Promise((resolve) => void onRenewed.push(resolve)),
  }
}
