import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { counterHandler } from './counter-handler.ts'
import { announceUrl, endAtSigterm } from './lifecycle.ts'
import { optionsOf } from './options.ts'

const options = optionsOf(process.argv.slice(2))
const handler = await counterHandler(options)
const app = new Hono()

app.all('/mcp', async ({ req }) => {
  // A body can be read once: middleware that has done so hands it over, parsed or as text.
  const parsedBody = options.json && req.method === 'POST' ? await req.text() : undefined
  return handler.fetch(req.raw, { parsedBody })
})

const server = createServer(getRequestListener(app.fetch)).listen(options.port, '127.0.0.1', () => announceUrl(server))
endAtSigterm(server, handler)
