import { readFileSync } from 'node:fs'

export interface User {
  readonly uid: number
  readonly gid: number
}

/** Whom PostgreSQL and pgbouncer run as, since they refuse root: `postgres`, else `nobody`. Absent where we are not root. */
export function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody.')
}
