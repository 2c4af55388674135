/** Which `Host` and `Origin` headers are served. */
export interface HostRules {
  /** `undefined`: loopback only; `'any'`: not checked. Entries are `host` (any port) or `host:port`. */
  readonly allowedHosts: readonly string[] | 'any' | undefined
  /** Origins beside the server's own, such as `https://app.example`. */
  readonly allowedOrigins: readonly string[]
}

/** Why a request must not be served, or `undefined`. A browser page of a foreign site can only be told apart by these two. */
export function hostProblem(host: string | null, origin: string | null, rules: HostRules): string | undefined {
  const named = parseHost(host)
  if (named === undefined) return 'the Host header is missing or malformed'
  if (!isHostAllowed(named, rules.allowedHosts)) {
    return `the Host '${printable(named.host)}' is not served here: list it in the option allowedHosts of createSessionHandler`
  }
  if (origin === null || isListed(origin, rules) || isOwnOrigin(origin, named)) return undefined
  return `the Origin '${printable(origin)}' is foreign: list it in the option allowedOrigins of createSessionHandler`
}

/** Whether pages of that origin may read the answer. */
export function isListed(origin: string, rules: HostRules): boolean {
  return rules.allowedOrigins.includes(origin)
}

interface NamedHost {
  /** As the header has it, in lower case. */
  readonly host: string
  /** Without the port; an IPv6 address keeps its brackets. */
  readonly hostname: string
}

function parseHost(header: string | null): NamedHost | undefined {
  const host = header?.trim().toLowerCase()
  const match = host === undefined ? null : /^(\[[0-9a-f:.]+\]|[^\s:/@[\]]+)(?::\d{1,5})?$/.exec(host)
  return host === undefined || match?.[1] === undefined ? undefined : { host, hostname: match[1] }
}

function isHostAllowed({ host, hostname }: NamedHost, allowed: HostRules['allowedHosts']): boolean {
  if (allowed === 'any') return true
  if (allowed !== undefined) return allowed.some((entry) => entry.toLowerCase() === host || entry.toLowerCase() === hostname)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
}

function isOwnOrigin(origin: string, { host }: NamedHost): boolean {
  try {
    const url = new URL(origin)
    return (
      (url.protocol === 'http:' || url.protocol === 'https:') && url.host === host.replace(url.protocol === 'https:' ? /:443$/ : /:80$/, '')
    )
  } catch {
    return false
  }
}

/** What a header held, fit for a message: it came from outside. */
function printable(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')
}
