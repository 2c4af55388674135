/** In a process that `startClient` starts: says that it is ready, and answers what it is asked. */
export function answerRequests<R>(answer: (request: R) => Promise<unknown>): void {
  process.on('message', ({ n, request }: { readonly n: number; readonly request: R }) => {
    answer(request).then(
      (value) => process.send?.({ n, value }),
      (error: unknown) => process.send?.({ n, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  // The leash of `startNode` lets a process end that has nothing left to do; this one waits to be asked.
  process.channel?.ref()
  process.send?.('ready')
}

/** Milliseconds of the monotonic clock that all processes of a host share. */
export function hostClock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
