import { parseArgs } from 'node:util'
import type { SessionBackend } from '@mcp-session/core/backend'
import { plantNodeBug } from './node-plants.ts'
import { builderOf, countUp, serve } from './serve.ts'
import { backendOf } from './store-place.ts'

// A node of the harness `nodes`.

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { sdk: text, store: text, node: text, deaf: { type: 'boolean', default: false } } })
const { sdk = '', store = '', node = '', deaf } = values
const plant = process.env['TORTURE_PLANT']
let sent = 0
let answerBefore = ''

await serve({
  build: await builderOf(sdk === '1' ? 1 : 2),
  backend: plantNodeBug(plant, deaf ? withoutSignals(backendOf(store)) : backendOf(store)),
  tools: (session, { log }) => ({
    async count() {
      if (plant !== 'reread') return countUp(session)
      const { counter } = await session.refresh()
      await session.update((metadata) => ({ ...metadata, counter: counter + 1 }))
      return String(counter + 1)
    },
    async notify() {
      sent += 1
      const n = sent
      await log({ incarnation: Number(node), n })
      return `${node} ${n}`
    },
    async ask({ word, on, elicit }) {
      const answer = await elicit(word, on)
      if (plant !== 'crossed') return answer
      const crossed = answerBefore
      answerBefore = answer
      return crossed
    },
  }),
})

/** Every signal is dropped: nodes learn of each other's news at their next poll only. */
function withoutSignals(backend: SessionBackend): SessionBackend {
  const { signals: _dropped, ...deafened } = backend
  return deafened
}
