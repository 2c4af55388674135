import { setTimeout as pause } from 'node:timers/promises'

export type Major = 'v1' | 'v2'

export const serverName = { name: 'bench', version: '1.0.0' } as const

/** How long the tool `slow` runs. */
export const slowMs = 200

interface Tool {
  readonly description: string
  run(): Promise<ToolAnswer>
}

interface ToolAnswer extends Record<string, unknown> {
  content: { type: 'text'; text: string }[]
}

/** What the servers of both SDK majors offer. */
export const tools: Readonly<Record<string, Tool>> = {
  nothing: { description: 'Answers at once, and writes nothing.', run: async () => answer('nothing') },
  slow: {
    description: `Answers after ${slowMs} ms.`,
    async run() {
      await pause(slowMs)
      return answer('slow')
    },
  },
}

function answer(text: string): ToolAnswer {
  return { content: [{ type: 'text', text }] }
}
