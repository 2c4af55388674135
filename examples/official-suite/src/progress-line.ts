import { clearLine, cursorTo } from 'node:readline'

/** One line that says what is being done; on a terminal it is written over again and again. */
export interface ProgressLine {
  say(what: string): void
  /** The line stays, and what comes begins a new one. */
  keep(what: string): void
}

export function progressLine(out: NodeJS.WriteStream): ProgressLine {
  function write(text: string): void {
    if (out.isTTY) {
      cursorTo(out, 0)
      clearLine(out, 0)
    }
    out.write(text)
  }
  return {
    say(what) {
      // A log keeps every line, and is told enough by those that stay.
      if (out.isTTY) write(what.slice(0, out.columns - 1))
    },
    keep(what) {
      write(`${what}\n`)
    },
  }
}
