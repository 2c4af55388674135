import type { Engine } from './engine.ts'
import { freePort } from './free-port.ts'
import { PortTaken } from './owned-engine.ts'

const tries = 10

/** Starts an engine on a free port, on another one when somebody takes that first. */
export async function startOnFreePort(make: (port: number) => Promise<Engine>): Promise<Engine> {
  for (let tried = 1; ; tried++) {
    const engine = await make(await freePort(Math.random))
    try {
      await engine.start()
      return engine
    } catch (error) {
      if (!(error instanceof PortTaken) || tried === tries) throw error
    }
  }
}
