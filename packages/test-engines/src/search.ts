import { announce } from './announce.ts'
import { cacheRoot } from './cache-folder.ts'
import type { Programs } from './programs.ts'

/**
 * `installed`: on PATH or where Debian and Homebrew put it · `cached`: fetched before (asking Docker takes a while where only its
 * client is there) · `docker`: an image · `fetched`: into the cache folder.
 */
export type Way = 'installed' | 'cached' | 'docker' | 'fetched'

export interface Search {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The ways to try, in this order. */
  readonly ways: readonly Way[]
  /** Where fetched programs are kept. */
  readonly cache: string
  /** `false`: nothing is downloaded, only what was fetched before counts. */
  readonly fetches: boolean
  /** Told what takes long. */
  say(line: string): void
}

/** One way to come by programs; `undefined`: not here. */
export type Attempt = (search: Search) => Promise<Programs | undefined>

const allWays: readonly Way[] = ['installed', 'cached', 'docker', 'fetched']

/** What this process searches: `MCP_SESSION_ENGINES` narrows the ways, `MCP_SESSION_ENGINES_CACHE` moves the cache. */
export function searchOf(env: Readonly<Record<string, string | undefined>>): Search {
  const named = env['MCP_SESSION_ENGINES'] ?? ''
  const ways = named === '' ? allWays : named.split(',').map(wayOf)
  return { env, ways, cache: cacheRoot(env), fetches: true, say: announce }
}

/** `cached` is `fetched` without a download. */
export type Attempts = Readonly<Record<Exclude<Way, 'cached'>, Attempt>>

/** The programs of the first way that has them. Rejects with what each way said and what to install. */
export async function firstFound(search: Search, what: string, advice: string, attempts: Attempts): Promise<Programs> {
  const said: string[] = []
  for (const way of search.ways) {
    try {
      const found = way === 'cached' ? await attempts.fetched({ ...search, fetches: false }) : await attempts[way](search)
      if (found !== undefined) return found
      said.push(`${way}: no`)
    } catch (error) {
      said.push(`${way}: ${error instanceof Error ? error.message.trim() : String(error)}`)
    }
  }
  throw new Error(`No ${what} on this machine. ${advice}\n${said.map((line) => `  ${line}`).join('\n')}`)
}

function wayOf(name: string): Way {
  const way = allWays.find((each) => each === name)
  if (way === undefined) throw new RangeError(`MCP_SESSION_ENGINES names some of ${allWays.join(', ')}, separated by commas, not ${name}`)
  return way
}
