import type { Metadata } from '@mcp-session/core'
import type { LiveServer } from './live-server.ts'

/** The live servers of this node: bounded, the longest idle goes first, and a busy one never goes. */
export interface LiveSessions<M = Metadata> {
  /**
   * The session's server, made by `start` where there is none: once, however many ask at the same time. It cannot be evicted
   * before `release`. `'full'`: all are busy.
   */
  hold(sessionId: string, start: () => Promise<LiveServer<M> | undefined>): Promise<HeldServer<M> | 'full' | undefined>
  /** Whether there is room for one more; makes it if need be. */
  hasRoom(): boolean
  get(sessionId: string): LiveServer<M> | undefined
  /** Closes the session's server, and ends its calls. */
  close(sessionId: string): Promise<void>
  /** As `close`, but lets running calls finish. */
  closeWhenDrained(sessionId: string): Promise<void>
  /** Closes those that nobody has used for so long. */
  closeIdle(idleMs: number): void
  /** Forgets a server that has closed itself. */
  forget(live: LiveServer<M>): void
  /** Lets all calls finish, or the promise given settle, and closes every server. */
  closeAll(deadline: Promise<void>): Promise<void>
  size(): number
}

export interface HeldServer<M = Metadata> {
  readonly live: LiveServer<M>
  release(): void
}

interface Entry<M> {
  started: Promise<LiveServer<M> | undefined>
  live: LiveServer<M> | undefined
  holders: number
  usedAt: number
}

export interface LiveSessionsOptions {
  readonly limit: number
  /** How long a session that has ended from within lets its other calls finish. */
  readonly drainMs: number
  readonly now: () => number
}

export function liveSessions<M>({ limit, drainMs, now }: LiveSessionsOptions): LiveSessions<M> {
  /** In the order of use: the longest idle first. */
  const entries = new Map<string, Entry<M>>()
  /** Of sessions that have ended from within, until their calls have finished. */
  const draining = new Set<LiveServer<M>>()

  function isBusy({ live, holders }: Entry<M>): boolean {
    return holders > 0 || live === undefined || live.link.isBusy()
  }

  function hasRoom(): boolean {
    if (entries.size < limit) return true
    for (const [sessionId, entry] of entries) {
      if (isBusy(entry)) continue
      entries.delete(sessionId)
      void entry.live?.close()
      return true
    }
    return false
  }

  function enter(sessionId: string, start: () => Promise<LiveServer<M> | undefined>): Entry<M> {
    const entry: Entry<M> = { started: start(), live: undefined, holders: 0, usedAt: now() }
    const drop = (): void => {
      if (entries.get(sessionId) === entry) entries.delete(sessionId)
    }
    entry.started.then((live) => {
      entry.live = live
      if (live === undefined) drop()
    }, drop)
    return entry
  }

  function use(sessionId: string, entry: Entry<M>): void {
    entry.usedAt = now()
    entries.delete(sessionId)
    entries.set(sessionId, entry)
  }

  return {
    async hold(sessionId, start) {
      let entry = entries.get(sessionId)
      if (entry === undefined) {
        if (!hasRoom()) return 'full'
        entry = enter(sessionId, start)
      }
      use(sessionId, entry)
      const held = entry
      held.holders += 1
      const release = (): void => {
        held.holders -= 1
        held.usedAt = now()
      }
      try {
        const live = await held.started
        if (live !== undefined) return { live, release }
      } catch (error) {
        release()
        throw error
      }
      release()
      return undefined
    },
    hasRoom,
    get: (sessionId) => entries.get(sessionId)?.live,
    async close(sessionId) {
      const entry = entries.get(sessionId)
      entries.delete(sessionId)
      const live = await entry?.started.catch(() => undefined)
      await live?.close()
    },
    async closeWhenDrained(sessionId) {
      const entry = entries.get(sessionId)
      entries.delete(sessionId)
      if (entry?.live !== undefined) entry.live.isEnding = true
      const live = await entry?.started.catch(() => undefined)
      if (live === undefined) return
      draining.add(live)
      let timer: NodeJS.Timeout | undefined
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainMs).unref()
      })
      await Promise.race([deadline, live.link.drained()])
      clearTimeout(timer)
      draining.delete(live)
      await live.close()
    },
    closeIdle(idleMs) {
      const since = now() - idleMs
      for (const [sessionId, entry] of entries) {
        if (entry.usedAt > since || isBusy(entry)) continue
        entries.delete(sessionId)
        void entry.live?.close()
      }
    },
    forget(live) {
      if (entries.get(live.sessionId)?.live === live) entries.delete(live.sessionId)
    },
    async closeAll(deadline) {
      const all = [...entries.values()].map((entry) => ({ entry, started: entry.started.catch(() => undefined) }))
      const drained = all.map(async ({ started }) => (await started)?.link.drained())
      await Promise.race([deadline, Promise.all(drained)])
      entries.clear()
      // A factory that takes longer than the deadline is not waited for: what it makes is closed when it comes.
      for (const { entry, started } of all) if (entry.live === undefined) void started.then((late) => late?.close())
      await Promise.all([...all.map(({ entry }) => entry.live), ...draining].map((live) => live?.close()))
    },
    size: () => entries.size,
  }
}
