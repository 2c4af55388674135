import type { SessionBackend } from '@mcp-session/core/backend'

/** The line between one node and the store, which can be cut and put back: every call fails meanwhile, as at a partition. */
export interface CutLine {
  readonly backend: SessionBackend
  cut(): void
  restore(): void
}

export function cutLine(whole: SessionBackend): CutLine {
  let isCut = false

  function through<Given extends unknown[], Answer>(call: (...given: Given) => Promise<Answer>) {
    return async (...given: Given): Promise<Answer> => {
      if (isCut) throw new Error('the line to the store is cut')
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
      touch: through(whole.touch),
      delete: through(whole.delete),
      events: { ...events, append: through(events.append), read: through(events.read) },
    },
    cut() {
      isCut = true
    },
    restore() {
      isCut = false
    },
  }
}
