/** One SSE frame; of a comment nothing is left. */
export interface Frame {
  readonly id: string | undefined
  readonly data: string
}

/** The frames of one SSE response, one after the other. */
export interface Frames {
  /** `undefined`: the response has ended. Rejects where neither comes within the bound. */
  next(withinMs: number): Promise<Frame | undefined>
  cancel(): Promise<void>
}

/** Reads frames off a response, priming frames with their empty data included, which parsers of events leave out. */
export function framesOf(response: Response): Frames {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let unread = ''

  async function next(): Promise<Frame | undefined> {
    for (;;) {
      const end = unread.indexOf('\n\n')
      if (end >= 0) {
        const lines = unread.slice(0, end).split('\n')
        unread = unread.slice(end + 2)
        const id = field(lines, 'id')
        const data = field(lines, 'data')
        if (id !== undefined || data !== undefined) return { id, data: data ?? '' }
        continue
      }
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return undefined
      unread += decoder.decode(chunk.value, { stream: true })
    }
  }

  return {
    next(withinMs) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no frame within ${withinMs} ms`)), withinMs)
        next()
          .finally(() => clearTimeout(timer))
          .then(resolve, reject)
      })
    },
    async cancel() {
      await reader?.cancel()
    },
  }
}

function field(lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
}
