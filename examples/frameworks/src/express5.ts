import express from 'express'
import { counterHandler } from './counter-handler.ts'
import { announceUrl, endAtSigterm } from './lifecycle.ts'
import { optionsOf } from './options.ts'

const options = optionsOf(process.argv.slice(2))
const handler = await counterHandler(options)
const app = express()

// The handler takes parsed bodies as well. Without a limit of its own the parser refuses more than 100 KB.
if (options.json) app.use(express.json({ limit: '5mb' }))
app.all('/mcp', handler.node)

const server = app.listen(options.port, '127.0.0.1', () => announceUrl(server))
endAtSigterm(server, handler)
