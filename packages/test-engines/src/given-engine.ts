import type { Engine } from './engine.ts'

/** A server of the user, named by an environment variable. It is used and left alone. */
export function givenEngine(url: string, variable: string, defaultPort: number): Engine {
  const { port } = new URL(url)
  const refuse = async (): Promise<never> => {
    throw new Error(`This engine is yours (${variable} names it), so it is not paused, killed or started. Use one that the tests start.`)
  }
  return {
    url,
    port: port === '' ? defaultPort : Number(port),
    owned: false,
    pids: refuse,
    pause: refuse,
    resume: refuse,
    kill: refuse,
    start: refuse,
    async close() {},
    async [Symbol.asyncDispose]() {},
  }
}
