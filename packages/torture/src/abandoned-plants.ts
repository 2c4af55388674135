import type { IncomingMessage, ServerResponse } from 'node:http'
import { openSessions } from '@mcp-session/core'
import type { SessionBackend } from '@mcp-session/core/backend'
import type { ServerFactory, SessionHandler } from '@mcp-session/http'

/** A leak that the harness `abandoned` must find. */
export interface Plant {
  /** Alters what the factory makes. */
  readonly factory?: (made: ServerFactory) => ServerFactory
  /** Answers some requests in another way; `undefined`: not this one. */
  readonly answer?: (req: IncomingMessage, res: ServerResponse, handler: SessionHandler) => Promise<void> | undefined
  /** Called when expired sessions are cleaned up. */
  readonly onCleanUp?: () => void
}

type Made = Awaited<ReturnType<ServerFactory>>

const kept: unknown[] = []
const servers = new Map<string, Made>()

const plants: Readonly<Record<string, (backend: SessionBackend, make: ServerFactory) => Plant>> = {
  /** The server never hears that its transport has closed. */
  server: () => ({
    factory: (make) => async (context) => {
      const made = await make(context)
      return {
        async connect(transport) {
          const { sessionId } = transport
          const deaf: typeof transport = {
            ...(sessionId === undefined ? {} : { sessionId }),
            async start() {},
            async close() {},
            send: (message, options) => transport.send(message, options),
          }
          await made.connect(deaf)
          transport.onmessage = (message, extra) => deaf.onmessage?.(message, extra)
        },
        async close() {},
      }
    },
  }),
  /** As examples of the SDK have it: who never deletes a session stays in the map. */
  map: () => ({
    factory: (make) => async (context) => {
      const made = await make(context)
      servers.set(context.session.id, made)
      return made
    },
  }),
  listener: () => ({
    factory: (make) => (context) => {
      process.setMaxListeners(0).on('SIGUSR2', () => console.log(context.session.id))
      return make(context)
    },
  }),
  timer: () => ({
    factory: (make) => (context) => {
      setInterval(() => context.session.id, 3_600_000).unref()
      return make(context)
    },
  }),
  /** A GET is not told that its client has gone. */
  stream: () => ({
    answer: (req, res, handler) => (req.method === 'GET' ? pump(req, res, handler) : undefined),
  }),
  /** A record per session that nobody deletes. */
  record(backend) {
    const notes = openSessions({ backend, kind: 'note', cleanupIntervalMs: 0 })
    return {
      factory: (make) => async (context) => {
        await (await notes).create({ of: context.session.id })
        return make(context)
      },
    }
  },
  /** Held until the session expires. */
  dormant: () => ({
    factory: (make) => (context) => {
      kept.push(Array.from({ length: 500 }, (_, index) => index + kept.length))
      return make(context)
    },
    onCleanUp() {
      kept.length = 0
    },
  }),
  /** A server is made for whatever id comes. */
  unknown: (_, make) => ({
    answer(req) {
      if (req.headers['mcp-session-id']?.includes('unknown') !== true) return undefined
      // The response is the handler's all the same.
      void make({ session: Object.create(null), authInfo: undefined })
      return undefined
    },
  }),
}

export const plantNames: readonly string[] = Object.keys(plants)

export function plantOf(name: string | undefined, backend: SessionBackend, make: ServerFactory): Plant {
  if (name === undefined) return {}
  const plant = plants[name]
  if (plant === undefined) throw new RangeError(`No leak is called ${name}`)
  return plant(backend, make)
}

async function pump(req: IncomingMessage, res: ServerResponse, { fetch }: SessionHandler): Promise<void> {
  const headers = Object.entries(req.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as [string, string]] : [],
  )
  const authInfo = 'auth' in req ? (req.auth as NonNullable<Parameters<typeof fetch>[1]>['authInfo']) : undefined
  const response = await fetch(new Request(`http://127.0.0.1${req.url}`, { headers }), { authInfo })
  res.writeHead(response.status, Object.fromEntries(response.headers)).flushHeaders()
  if (response.body !== null) for await (const chunk of response.body) res.write(chunk)
  res.end()
}
