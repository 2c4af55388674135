import { OAuthError, OAuthErrorCode, type OAuthTokenVerifier } from '@modelcontextprotocol/server'

/** In place of yours: the token `demo-alice` is alice's. Who asks is said by issuer, subject and client, never by the token's bytes. */
export const verifier: OAuthTokenVerifier = {
  async verifyAccessToken(token) {
    const [, sub] = /^demo-([a-z]+)$/.exec(token) ?? []
    if (sub === undefined) throw new OAuthError(OAuthErrorCode.InvalidToken, 'The token is not one of the demo')
    const inAnHour = Math.floor(Date.now() / 1_000) + 3_600
    return { token, clientId: 'demo', scopes: [], expiresAt: inAnHour, extra: { iss: 'https://issuer.example', sub } }
  },
}
