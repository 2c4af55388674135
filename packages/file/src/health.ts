import type { HealthWarning } from '@mcp-session/core/backend'
import type { Compaction } from './compaction.ts'
import type { Log } from './log.ts'
import type { PutAside } from './options.ts'
import type { Tuning } from './tuning.ts'

export interface HealthParts {
  readonly log: Pick<Log, 'failure'>
  readonly compact: Pick<Compaction, 'failure'>
  readonly putAside: readonly PutAside[]
  readonly network: string | undefined
  readonly durable: boolean
  readonly tuning: Pick<Tuning, 'syncAfterMs'>
}

/** What an operator should know. */
export function warningsOf({ log, compact, putAside, network, durable, tuning }: HealthParts): HealthWarning[] {
  const warnings: HealthWarning[] = []
  const warn = (code: string, message: string): void => void warnings.push({ code: `file-${code}`, message })
  if (!durable) warn('relaxed', `durable is false: a power cut may take the writes of the last ${tuning.syncAfterMs} ms`)
  if (network !== undefined)
    warn('network-file-system', `The folder is on ${network}: locks and syncs may not hold there; use a disk of this host`)
  const failure = log.failure()
  if (failure !== undefined) warn('write-failed', `The last write failed, the next one begins a new segment: ${textOf(failure)}`)
  const unfinished = compact.failure()
  if (unfinished !== undefined) warn('compaction-failed', `The log was not compacted and grows: ${textOf(unfinished)}`)
  for (const kind of ['torn', 'damaged'] as const) {
    const parts = putAside.filter((each) => each.kind === kind)
    if (parts.length > 0) warn(kind, `${kind === 'torn' ? tornText : damagedText}: ${parts.map(describe).join(', ')}`)
  }
  return warnings
}

const tornText = 'The last process ended within a write, which was not acknowledged; its bytes were put aside when the store was opened'
const damagedText = 'Files were damaged when the store was opened; the damage was put aside, and sessions in it are lost'

function describe({ file, offset, bytes, missingBytes }: PutAside): string {
  return `${file} at offset ${offset}, ${bytes} bytes${missingBytes === 0 ? '' : ` and ${missingBytes} that are missing`}`
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
