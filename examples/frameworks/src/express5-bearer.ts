import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import express from 'express'
import { counterHandler } from './counter-handler.ts'
import { announceUrl, endAtSigterm } from './lifecycle.ts'
import { optionsOf } from './options.ts'

/** Whose tokens they are. A real verifier checks signature, audience and expiry of a JWT, or asks the issuer. */
const subjects: ReadonlyMap<string, string> = new Map([
  ['alice-today', 'alice'],
  ['alice-tomorrow', 'alice'],
  ['bob-today', 'bob'],
])

const verifier = {
  async verifyAccessToken(token: string) {
    const sub = subjects.get(token)
    if (sub === undefined) throw new InvalidTokenError('unknown token')
    const extra = { iss: 'https://issuer.example', sub }
    return { token, clientId: 'example-client', scopes: [], expiresAt: Math.floor(Date.now() / 1_000) + 3_600, extra }
  },
}

const options = optionsOf(process.argv.slice(2))
// Names of people and never the token itself: the session outlives a refresh, and belongs to nobody else.
const handler = await counterHandler(
  options,
  ({ authInfo }) => authInfo && [authInfo.extra?.['iss'], authInfo.extra?.['sub'], authInfo.clientId],
)
const app = express()

// The middleware sets `req.auth`, which the handler reads.
app.all('/mcp', requireBearerAuth({ verifier }), handler.node)

const server = app.listen(options.port, '127.0.0.1', () => announceUrl(server))
endAtSigterm(server, handler)
