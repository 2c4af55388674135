import { openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { emit } from './emitter.ts'
import { plantKillBug } from './kill-plants.ts'
import { builderOf, countUp, serve } from './serve.ts'
import { backendOf } from './store-place.ts'

// A server of the harness `kills`: it loads, waits for its turn, and serves until it is killed.

/** Between two steps of a slow tool, in milliseconds. */
const stepMs = 60

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { sdk: text, store: text, ledger: text, retry: text } })
const { sdk = '', store = '', ledger = '', retry = '' } = values
const build = await builderOf(sdk === '1' ? 1 : 2)
const emitting = new Set<string>()

createInterface({ input: process.stdin }).once('line', (line) => void serveAs(Number(line)))
console.log('loaded')

/** The number says how many processes served before. */
async function serveAs(incarnation: number): Promise<void> {
  const book = openSync(ledger, 'a')
  await serve({
    build,
    backend: plantKillBug(process.env['TORTURE_PLANT'], backendOf(store)),
    retryMs: Number(retry),
    // A reader that comes back after many kills gets every message: what retention takes is not what is tried here.
    events: { maxEvents: 1_000_000, maxBytes: 2 ** 30 },
    tools: (session, { log }) => ({
      async count() {
        if (!emitting.has(session.id)) {
          emitting.add(session.id)
          // It ends with the session, or with the process.
          emit({ incarnation, ledger: book, sessionId: session.id, send: log }).catch(() => {})
        }
        return countUp(session)
      },
      async work({ ms, word, progress }) {
        const until = performance.now() + ms
        for (let step = 1; performance.now() < until; step += 1) {
          await progress(step)
          await after(Math.min(stepMs, Math.max(0, until - performance.now())))
        }
        return word
      },
    }),
  })
}
