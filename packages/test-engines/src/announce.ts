/** Tells the person who waits. Fetching an engine takes a while, and silence would look like a hang. */
export function announce(line: string): void {
  process.stderr.write(`test-engines: ${line}\n`)
}
