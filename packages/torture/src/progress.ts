import { SingleBar } from 'cli-progress'

/** Shows how far a run is. */
export interface Progress {
  /** `total` is undefined where a budget decides. */
  begin(title: string, total: number | undefined): ShownRun
}

export interface ShownRun {
  update(done: number, note?: string): void
  end(): void
}

/** A line on a terminal that is written over and over; nothing where the stream is none. */
export function terminalProgress(stream: NodeJS.WriteStream): Progress {
  return {
    begin(title, total) {
      if (!stream.isTTY) return { update() {}, end() {} }
      const format = total === undefined ? `${title} {value} in {duration_formatted} {note}` : `${title} {bar} {value}/{total} {note}`
      const bar = new SingleBar({
        stream,
        format,
        clearOnComplete: true,
        hideCursor: true,
        barsize: 20,
        linewrap: false,
        gracefulExit: false,
      })
      bar.start(total ?? Number.MAX_SAFE_INTEGER, 0, { note: '' })
      return {
        update(done, note = '') {
          bar.update(done, { note })
        },
        end() {
          bar.stop()
        },
      }
    },
  }
}
