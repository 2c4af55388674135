/** A real server process group that a test may maltreat. */
export interface Engine extends AsyncDisposable {
  /** `redis://127.0.0.1:<port>` or `postgres://<user>@127.0.0.1:<port>/<database>`. */
  readonly url: string
  readonly port: number
  /** `false`: `REDIS_URL` or `DATABASE_URL` names it. Then every method but `close` rejects with an error that says so. */
  readonly owned: boolean
  /** Of PostgreSQL: the postmaster and all its children. Empty while it is down. */
  pids(): Promise<readonly number[]>
  /** SIGSTOP to all of them: connections stay open, nothing answers. */
  pause(): Promise<void>
  /** SIGCONT to all of them. */
  resume(): Promise<void>
  /** SIGKILL; resolves when they are gone and the port refuses. */
  kill(): Promise<void>
  /** Starts it again on the same port and the same data; resolves once it answers. */
  start(): Promise<void>
  /** Ends it and removes its data. Idempotent. Leaves an engine of the user as it is. */
  close(): Promise<void>
}
