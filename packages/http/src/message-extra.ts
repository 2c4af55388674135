import type { Exchange } from './exchange.ts'
import type { MessageExtra } from './session-transport.ts'

/** Ends HTTP responses early, for clients that can resume them. */
export interface Resumable {
  readonly call: () => void
  readonly standalone: () => void
}

/** What a server is told about the HTTP request that brought a message. */
export function messageExtra(exchange: Exchange, resumable?: Resumable): MessageExtra {
  const extra: MessageExtra = {
    requestInfo: { headers: Object.fromEntries(exchange.headers), url: new URL(exchange.url) },
    get request() {
      return exchange.request()
    },
  }
  if (exchange.authInfo !== undefined) extra.authInfo = exchange.authInfo
  if (resumable !== undefined) {
    extra.closeSSEStream = resumable.call
    extra.closeStandaloneSSEStream = resumable.standalone
  }
  return extra
}
