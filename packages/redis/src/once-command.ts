import { performance } from 'node:perf_hooks'
import { Command } from 'ioredis'
import { isRedirection } from './redis-errors.ts'

/** What is to be sent once. */
export interface Once {
  readonly name: string
  readonly args: readonly (string | number)[]
  /** What is written, where `args` are only as many as decide the slot. */
  readonly request?: Buffer | undefined
  /** On the scale of `performance.now()`. */
  readonly deadlineAt: number
}

/** Keeps the driver's order of replies where nothing is to be written any more. */
const ping = '*1\r\n$4\r\nPING\r\n'

/**
 * A command that is written to the socket once, and not after its deadline. By itself ioredis keeps commands for later while it is not
 * connected, and sends those again whose reply got lost: a create would then meet its own record. So the command decides when it is
 * written: a second time, or too late, it writes a PING in its place.
 */
export class OnceCommand extends Command {
  /** What it was written to. */
  socket: object | undefined = undefined
  /** It was written, and not answered. */
  isUnanswered = false
  isPing = false
  /** Whoever waits for it has been told, and it must not be written any more. */
  isTold = false
  /** Is told why the reply to what was written never comes. */
  onLost: ((error: Error) => void) | undefined = undefined
  readonly #once: Once
  /** Given by the driver while it is constructed: no field of this class has a value then. */
  declare private driverReject: Command['reject']

  constructor(once: Once) {
    super(once.name, [...once.args], { replyEncoding: 'utf8' })
    this.#once = once
  }

  override toWritable(into: object): string | Buffer {
    this.isPing = this.isTold || this.isUnanswered || performance.now() >= this.#once.deadlineAt
    if (this.isPing) return ping
    this.socket = into
    this.isUnanswered = true
    return this.#once.request ?? super.toWritable(into)
  }

  private rejected(error: Error): void {
    // The driver follows by itself where the server has refused, or where nothing was sent yet; a sent command it would send again.
    if (isRedirection(error)) this.isUnanswered = false
    else if (this.isUnanswered) this.onLost?.(error)
  }

  static {
    // ioredis calls `reject` where a reply is an error or a connection ends; its cluster client puts its own in that place first. Of the
    // class, and not of each command: V8 gives an object with accessors of its own a hidden class of its own, 2 KB that grow old.
    Object.defineProperty(OnceCommand.prototype, 'reject', {
      get(this: OnceCommand): Command['reject'] {
        const inner = this.driverReject
        return (error) => {
          this.rejected(error)
          inner.call(this, error)
        }
      },
      set(this: OnceCommand, reject: Command['reject']) {
        this.driverReject = reject
      },
    })
  }
}
