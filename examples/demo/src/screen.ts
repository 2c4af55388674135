/** Prints the story: when, what happened, detail, and what proves it. */
export interface Screen {
  title(what: string, where: string): void
  row(what: string, detail?: string, proof?: string): void
  /** What came of it. */
  verdict(good: boolean, what: string, remark?: string): void
}

export interface ScreenOptions {
  readonly print: (line: string) => void
  /** Escape sequences for a terminal; without them plain text. */
  readonly colours: boolean
  /** Milliseconds, from any fixed instant. */
  readonly now: () => number
}

export function createScreen({ print, colours, now }: ScreenOptions): Screen {
  const startedAt = now()
  const painted = (code: number, text: string) => (colours && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text)
  return {
    title(what, where) {
      print(` ${painted(1, what.padEnd(58))} ${painted(2, where)}`)
    },
    row(what, detail = '', proof = '') {
      const time = `${((now() - startedAt) / 1_000).toFixed(1)} s`.padStart(7)
      const rest = [what.padEnd(32), detail.padEnd(39), painted(2, proof)].join('').trimEnd()
      print(`${painted(2, time)}  ${rest}`)
    },
    verdict(good, what, remark = '') {
      print(` ${painted(good ? 32 : 31, good ? '✓' : '✗')} ${what}${remark === '' ? '' : `     ${painted(2, remark)}`}`)
    },
  }
}
