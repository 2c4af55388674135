import { type Engine, postgresEngine, redisEngine, startRedis } from '@mcp-session/test-engines'

/** The shared engines of a run, each started when somebody first needs it. */
export interface Engines extends AsyncDisposable {
  url(name: 'redis' | 'postgres'): Promise<string>
}

export function engines(): Engines {
  const started = new Map<string, Promise<Engine>>()

  async function url(name: 'redis' | 'postgres'): Promise<string> {
    const engine = started.get(name) ?? (name === 'redis' ? redis() : postgresEngine())
    started.set(name, engine)
    return (await engine).url
  }

  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const engine of started.values()) await (await engine.catch(() => undefined))?.close()
    },
  }
}

/** As it is run for sessions that may be lost with it: without a file that is synced for each write. */
function redis(): Promise<Engine> {
  const given = process.env['REDIS_URL']
  return given === undefined || given === '' ? startRedis({ config: { appendonly: 'no' } }) : redisEngine()
}
