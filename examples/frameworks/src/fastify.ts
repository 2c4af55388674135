import fastify from 'fastify'
import { counterHandler } from './counter-handler.ts'
import { announceUrl, endAtSigterm } from './lifecycle.ts'
import { optionsOf } from './options.ts'

const options = optionsOf(process.argv.slice(2))
const handler = await counterHandler(options)
const app = fastify({ bodyLimit: 5 * 1024 * 1024 })

await app.register(async (scope) => {
  // On this route, and nowhere else in the app, bodies are left to the handler: its bound and its JSON-RPC errors, not Fastify's.
  if (!options.json) {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
  }
  scope.all('/mcp', (request, reply) => {
    // Fastify answers no more: the handler does, on the response of node:http.
    reply.hijack()
    return handler.node(request.raw, reply.raw, request.body)
  })
})

await app.listen({ port: options.port, host: '127.0.0.1' })
announceUrl(app.server)
endAtSigterm(app.server, handler, () => app.close())
